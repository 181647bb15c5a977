package ridestream

import (
	"math"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	dispatchv1 "ridestream.org/clients/go/gen/ridestream/dispatch/v1"
)

// An Event is one of Connected, Disconnected, *dispatchv1.Offer, *dispatchv1.OfferEnded,
// *dispatchv1.Plan, *dispatchv1.Rejected and *dispatchv1.WaitingPlace.
type Event any

// Connected means that the stream is open. If the session wasn't resumed, all earlier pushes are void.
type Connected struct {
	Resumed   bool
	SessionID string
	Epoch     uint64
}

// Disconnected means that the stream broke. The driver reconnects automatically.
type Disconnected struct {
	Err     *StatusError
	RetryIn time.Duration
}

const (
	// rememberedOffers is the number of ended offers to remember, so that each end is reported once.
	rememberedOffers = 64
	// maxUntaken bounds the events that the app hasn't taken. The service ends a session at 64 unacked
	// pushes, so more are a protocol error.
	maxUntaken = 256
)

// untaken is an event that the app hasn't taken. A nil event has only a sequence.
type untaken struct {
	sequence uint64
	event    Event
}

// session holds the rules of a driver's session across streams: the effect of each message, and which messages
// are sent again. Without input and output. Not thread-safe.
type session struct {
	welcome      *dispatchv1.Welcome
	plan         *dispatchv1.Plan
	offer        *dispatchv1.Offer
	lastSequence uint64
	// The largest sequence that may be acked.
	ack     uint64
	untaken []untaken
	ended   []string
}

// hello returns the first message of the next stream.
func (s *session) hello(hello *dispatchv1.Hello) *dispatchv1.Hello {
	first := proto.CloneOf(hello)
	if s.welcome != nil {
		first.Resume = &dispatchv1.Resume{
			SessionId:    s.welcome.SessionId,
			Epoch:        s.welcome.Epoch,
			LastSequence: s.lastSequence,
			PlanVersion:  s.plan.GetVersion(),
		}
	}
	return first
}

// onWelcome handles a stream's first message.
func (s *session) onWelcome(message *dispatchv1.DriveResponse) error {
	welcome := message.GetWelcome()
	if welcome == nil {
		return protocolErrorf("the first message must be welcome, is %T", message.Message)
	}
	if err := s.check(welcome); err != nil {
		return err
	}
	s.welcome = welcome
	if !welcome.Resumed {
		s.lastSequence, s.ack = 0, 0
		s.untaken, s.plan, s.offer = nil, nil, nil
	}
	err := s.tellOfConnection(Connected{welcome.Resumed, welcome.SessionId, welcome.Epoch})
	if plan := welcome.GetSnapshot().GetPlan(); plan != nil && err == nil {
		err = s.onPlan(0, plan)
	}
	if offer := welcome.GetSnapshot().GetOffer(); offer == nil {
		s.offer = nil
	} else if err == nil {
		err = s.onOffer(0, offer)
	}
	return err
}

// onPush handles any later message except Goodbye. isAnswer: a pending command receives this rejection, so the
// app needs no event.
func (s *session) onPush(message *dispatchv1.DriveResponse, isAnswer bool) error {
	sequence := message.Sequence
	switch message.Message.(type) {
	case *dispatchv1.DriveResponse_Welcome, *dispatchv1.DriveResponse_Goodbye:
		return protocolErrorf("%T came where none is allowed", message.Message)
	case *dispatchv1.DriveResponse_Heartbeat, nil:
		if sequence == 0 {
			return nil
		}
	}
	switch {
	case sequence == 0:
		return protocolErrorf("%T has no sequence", message.Message)
	case sequence > s.lastSequence+1:
		return protocolErrorf("push %d came after %d", sequence, s.lastSequence)
	case sequence <= s.lastSequence:
		return nil // A repeated push.
	}
	s.lastSequence = sequence
	switch m := message.Message.(type) {
	case *dispatchv1.DriveResponse_Offer:
		return s.onOffer(sequence, m.Offer)
	case *dispatchv1.DriveResponse_OfferEnded:
		return s.onOfferEnded(sequence, m.OfferEnded)
	case *dispatchv1.DriveResponse_Plan:
		return s.onPlan(sequence, m.Plan)
	case *dispatchv1.DriveResponse_Rejected:
		if isAnswer {
			return s.tell(sequence, nil)
		}
		return s.tell(sequence, m.Rejected)
	case *dispatchv1.DriveResponse_WaitingPlace:
		return s.tell(sequence, m.WaitingPlace)
	}
	return s.tell(sequence, nil)
}

// next returns the first event that the app hasn't taken, or nil. took marks it as taken.
func (s *session) next() Event {
	if len(s.untaken) == 0 {
		return nil
	}
	return s.untaken[0].event
}

func (s *session) took() {
	s.ack = max(s.ack, s.untaken[0].sequence)
	s.untaken = s.untaken[1:]
	s.skipSilent()
}

// tellOfConnection adds an event that replaces earlier ones of the connection.
func (s *session) tellOfConnection(event Event) error {
	s.replace(func(e Event) bool {
		switch e.(type) {
		case Connected, Disconnected:
			return true
		}
		return false
	})
	return s.tell(0, event)
}

// replace removes such events that the app hasn't taken; their sequences are still acked.
func (s *session) replace(is func(Event) bool) {
	var kept []untaken
	for _, u := range s.untaken {
		if is(u.event) {
			u.event = nil
		}
		if u.event != nil || u.sequence != 0 {
			kept = append(kept, u)
		}
	}
	s.untaken = kept
}

func (s *session) tell(sequence uint64, event Event) error {
	if len(s.untaken) >= maxUntaken {
		return protocolErrorf("%d pushes came without an ack", maxUntaken)
	}
	s.untaken = append(s.untaken, untaken{sequence, event})
	s.skipSilent()
	return nil
}

func (s *session) skipSilent() {
	for len(s.untaken) > 0 && s.untaken[0].event == nil {
		s.ack = max(s.ack, s.untaken[0].sequence)
		s.untaken = s.untaken[1:]
	}
}

func (s *session) onOffer(sequence uint64, offer *dispatchv1.Offer) error {
	if err := s.checkDriver("offer", offer.DriverId); err != nil {
		return err
	}
	if s.offer.GetOfferId() == offer.OfferId && s.offer != nil || slices.Contains(s.ended, offer.OfferId) {
		return s.tell(sequence, nil)
	}
	if offer.OfferId == "" || offer.TripId == "" {
		return protocolErrorf("offer: has no offer_id or no trip_id")
	}
	s.offer = offer
	return s.tell(sequence, offer)
}

func (s *session) onOfferEnded(sequence uint64, ended *dispatchv1.OfferEnded) error {
	if s.offer.GetOfferId() == ended.OfferId {
		s.offer = nil
	}
	if slices.Contains(s.ended, ended.OfferId) {
		return s.tell(sequence, nil)
	}
	s.ended = append(s.ended, ended.OfferId)
	s.ended = s.ended[max(0, len(s.ended)-rememberedOffers):]
	return s.tell(sequence, ended)
}

func (s *session) onPlan(sequence uint64, plan *dispatchv1.Plan) error {
	if err := s.checkDriver("plan", plan.DriverId); err != nil {
		return err
	}
	if before := s.plan; before != nil {
		if plan.Version < before.Version || plan.Version == before.Version && sequence != 0 {
			return s.tell(sequence, nil)
		}
		if plan.Route == nil && plan.RouteId == before.RouteId && len(plan.Stops) > 0 {
			plan = proto.CloneOf(plan)
			plan.Route = before.Route
		}
	}
	s.plan = plan
	s.replace(func(e Event) bool { _, is := e.(*dispatchv1.Plan); return is })
	return s.tell(sequence, plan)
}

// checkDriver returns an error if the message is for another driver.
func (s *session) checkDriver(what, driverID string) error {
	if driverID != s.welcome.DriverId {
		return protocolErrorf("%s.driver_id: is of driver '%s', not of '%s'", what, driverID, s.welcome.DriverId)
	}
	return nil
}

func (s *session) check(welcome *dispatchv1.Welcome) error {
	switch {
	case welcome.SessionId == "":
		return protocolErrorf("welcome.session_id: is empty")
	case welcome.DriverId == "":
		return protocolErrorf("welcome.driver_id: is empty")
	case s.welcome != nil && welcome.Epoch <= s.welcome.Epoch:
		return protocolErrorf("welcome.epoch: %d came after %d", welcome.Epoch, s.welcome.Epoch)
	case welcome.Resumed && welcome.SessionId != s.welcome.GetSessionId():
		return protocolErrorf("welcome.resumed: another session than the one asked for")
	case !isPeriod(welcome.ReportEvery.AsDuration()):
		return protocolErrorf("welcome.report_every: must be 1 ms to 1 day")
	case !isPeriod(welcome.Heartbeat.AsDuration()):
		return protocolErrorf("welcome.heartbeat: must be 1 ms to 1 day")
	case math.IsNaN(welcome.ClockRate) || welcome.ClockRate < 0.01 || welcome.ClockRate > 1000:
		return protocolErrorf("welcome.clock_rate: is %v", welcome.ClockRate)
	}
	return nil
}

func isPeriod(d time.Duration) bool { return d >= time.Millisecond && d <= 24*time.Hour }
