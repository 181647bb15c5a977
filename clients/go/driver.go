package ridestream

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	commonv1 "ridestream.org/clients/go/gen/ridestream/common/v1"
	dispatchv1 "ridestream.org/clients/go/gen/ridestream/dispatch/v1"
)

// Shift describes a driver and car at the start of a shift.
type Shift struct {
	Market string
	// Passenger seats, 1 to 8.
	Seats   int
	Name    string
	Vehicle *commonv1.Vehicle
	// Whether riders who share may be inserted into the current plan without an offer.
	AcceptsInsertions bool
}

// A Driver keeps a stream open, reconnecting as often as necessary, until its shift ends.
//
// Commands (Accept, Arrived, …) wait until they take effect, across reconnects, and may be repeated. Safe for
// concurrent use.
type Driver struct {
	connection Connection
	hello      *dispatchv1.Hello
	events     chan Event
	// Each holds at most one token: there is something to send, or an event to deliver.
	wake, news chan struct{}
	cancel     context.CancelFunc
	ended      chan struct{}

	mu               sync.Mutex
	session          session
	commands         commands
	outgoing         []*dispatchv1.DriveRequest
	acked            uint64
	position         *dispatchv1.Position
	positionSequence uint64
	welcomedAt       time.Time
	live             bool
	finished         bool
	err              error
}

// Drive connects and begins a shift. Receive from Events until it is closed; Err then returns the reason.
// The shift lasts until the context ends, Close, EndShift, or an error that a retry doesn't fix.
func Drive(ctx context.Context, connection Connection, shift Shift) (*Driver, error) {
	if err := firstOf(
		checkRange(int64(shift.Seats), 1, maxSeats, "hello.seats"),
		checkID(shift.Market, "hello.market"),
		checkText(shift.Name, maxName, "hello.name"),
		checkText(shift.Vehicle.GetModel(), maxName, "hello.vehicle.model"),
		checkText(shift.Vehicle.GetPlate(), maxPlate, "hello.vehicle.plate"),
	); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	d := &Driver{
		connection: connection,
		hello: &dispatchv1.Hello{
			Market: shift.Market, Seats: uint32(shift.Seats), Name: shift.Name,
			Vehicle: shift.Vehicle, AcceptsInsertions: shift.AcceptsInsertions,
		},
		events: make(chan Event),
		wake:   make(chan struct{}, 1),
		news:   make(chan struct{}, 1),
		cancel: cancel,
		ended:  make(chan struct{}),
	}
	go d.run(ctx)
	go d.tell(ctx)
	return d, nil
}

// Events delivers the events in order, and is closed at the end. A push is acked when it has been received.
func (d *Driver) Events() <-chan Event { return d.events }

// Err returns why Events was closed; nil after EndShift and Close.
func (d *Driver) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// Close closes the stream. The service keeps the session for a resume; EndShift ends it.
func (d *Driver) Close() {
	d.cancel()
	<-d.ended
}

// Plan returns the newest plan; nil if there is none or it isn't known yet.
func (d *Driver) Plan() *dispatchv1.Plan {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.session.plan
}

// TimeLeft returns the time left to answer the offer, by this device's clock.
func (d *Driver) TimeLeft(offer *dispatchv1.Offer) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	left := offer.GetExpiresAt().AsTime().Sub(d.session.welcome.GetServerTime().AsTime())
	return d.wall(left) - time.Since(d.welcomedAt)
}

// MoveTo sets the car's position in degrees, heading in degrees clockwise from north, and speed in metres per
// second. They are sent as often as the service requests; call this at any rate.
func (d *Driver) MoveTo(lat, lng float64, headingDeg int, speedMPerS float64) error {
	place := Place(lat, lng)
	speed := math.Round(speedMPerS * 10)
	if !(speed >= 0 && speed <= math.MaxInt32) {
		return invalid("position.speed_dm_per_s: must be 0 to %d", math.MaxInt32)
	}
	if err := firstOf(checkPlace(place, "position"),
		checkRange(int64(headingDeg), 0, 359, "position.heading_deg")); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	isFirst := d.position == nil
	d.position = &dispatchv1.Position{
		LatE7: place.LatE7, LngE7: place.LngE7, HeadingDeg: uint32(headingDeg), SpeedDmPerS: uint32(speed),
	}
	if isFirst && d.live {
		d.report()
	}
	return nil
}

// Accept accepts the offer. The driver has the trip only if the outcome is ACCEPTED.
func (d *Driver) Accept(ctx context.Context, offerID string) (*dispatchv1.OfferEnded, error) {
	return d.answer(ctx, offerID, true)
}

// Decline declines the offer.
func (d *Driver) Decline(ctx context.Context, offerID string) (*dispatchv1.OfferEnded, error) {
	return d.answer(ctx, offerID, false)
}

// Arrived reports the arrival at the pick-up. Like PickedUp and DroppedOff, it returns the plan that shows the
// step, or a *CommandRejected.
func (d *Driver) Arrived(ctx context.Context, tripID string) (*dispatchv1.Plan, error) {
	return d.step(ctx, tripID, dispatchv1.StopAction_STOP_ACTION_ARRIVED)
}

// PickedUp reports that the rider is in the car.
func (d *Driver) PickedUp(ctx context.Context, tripID string) (*dispatchv1.Plan, error) {
	return d.step(ctx, tripID, dispatchv1.StopAction_STOP_ACTION_PICKED_UP)
}

// DroppedOff reports the end of the ride.
func (d *Driver) DroppedOff(ctx context.Context, tripID string) (*dispatchv1.Plan, error) {
	return d.step(ctx, tripID, dispatchv1.StopAction_STOP_ACTION_DROPPED_OFF)
}

// GiveUp gives up a trip before its pick-up.
func (d *Driver) GiveUp(ctx context.Context, tripID, reason string, cause dispatchv1.GiveUpCause) (*dispatchv1.Plan, error) {
	if err := firstOf(checkID(tripID, "give_up.trip_id"), checkText(reason, maxText, "give_up.reason")); err != nil {
		return nil, err
	}
	giveUp := &dispatchv1.GiveUp{TripId: tripID, Reason: reason, Cause: cause}
	return command[*dispatchv1.Plan](ctx, d, &dispatchv1.DriveRequest{
		Message: &dispatchv1.DriveRequest_GiveUp{GiveUp: giveUp},
	})
}

// EndShift ends the session and closes Events. It returns a *CommandRejected while the driver has a plan.
func (d *Driver) EndShift(ctx context.Context) error {
	_, err := command[*dispatchv1.Plan](ctx, d, &dispatchv1.DriveRequest{
		Message: &dispatchv1.DriveRequest_EndShift{EndShift: &dispatchv1.EndShift{}},
	})
	return err
}

func (d *Driver) answer(ctx context.Context, offerID string, accept bool) (*dispatchv1.OfferEnded, error) {
	if err := checkID(offerID, "offer_answer.offer_id"); err != nil {
		return nil, err
	}
	answer := &dispatchv1.OfferAnswer{OfferId: offerID, Accept: accept}
	return command[*dispatchv1.OfferEnded](ctx, d, &dispatchv1.DriveRequest{
		Message: &dispatchv1.DriveRequest_OfferAnswer{OfferAnswer: answer},
	})
}

func (d *Driver) step(ctx context.Context, tripID string, action dispatchv1.StopAction) (*dispatchv1.Plan, error) {
	if err := checkID(tripID, "stop_update.trip_id"); err != nil {
		return nil, err
	}
	update := &dispatchv1.StopUpdate{TripId: tripID, Action: action}
	return command[*dispatchv1.Plan](ctx, d, &dispatchv1.DriveRequest{
		Message: &dispatchv1.DriveRequest_StopUpdate{StopUpdate: update},
	})
}

// command sends the command and waits until it takes effect or the context ends. In the latter case it is
// still carried out.
func command[Result proto.Message](ctx context.Context, d *Driver, request *dispatchv1.DriveRequest) (result Result, err error) {
	d.mu.Lock()
	if d.finished {
		defer d.mu.Unlock()
		if d.err != nil {
			return result, d.err
		}
		return result, ErrStopped
	}
	p, isNew, err := d.commands.add(request)
	if isNew && d.live {
		d.send(request)
	}
	d.mu.Unlock()
	if err != nil {
		return result, err
	}
	select {
	case <-p.done:
		result, _ = p.result.(Result)
		return result, p.err
	case <-ctx.Done():
		return result, ctx.Err()
	}
}

// send needs mu, as does report.
func (d *Driver) send(request *dispatchv1.DriveRequest) {
	if request.GetStopUpdate() != nil {
		d.report() // The position must precede a step at that position.
	}
	d.outgoing = append(d.outgoing, request)
	signal(d.wake)
}

func (d *Driver) report() {
	if d.position == nil {
		return
	}
	d.positionSequence++
	position := proto.CloneOf(d.position)
	position.Sequence = d.positionSequence
	position.DeviceTimeMs = uint64(time.Now().UnixMilli())
	d.outgoing = append(d.outgoing, &dispatchv1.DriveRequest{
		Message: &dispatchv1.DriveRequest_Position{Position: position},
	})
	signal(d.wake)
}

// wall converts a duration of the service's clock to this device's clock. Needs mu.
func (d *Driver) wall(service time.Duration) time.Duration {
	if d.session.welcome == nil {
		return service
	}
	return time.Duration(float64(service) / d.session.welcome.ClockRate)
}

func (d *Driver) finish(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.finished, d.live = true, false
	if !errors.Is(err, context.Canceled) {
		d.err = err
	}
	if err == nil || d.err == nil {
		err = ErrStopped
	}
	d.commands.failAll(err)
	close(d.ended)
	signal(d.news)
}

// isFinal returns whether the same Hello would get the same answer again.
func isFinal(err *StatusError) bool {
	switch err.Code {
	case codes.InvalidArgument, codes.PermissionDenied, codes.NotFound, codes.Aborted:
		return true
	case codes.FailedPrecondition:
		return err.RetryAfter < 0 // Otherwise another process serves the market.
	case codes.ResourceExhausted:
		return err.RetryAfter < 0 // A message that is too large.
	}
	return false
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
