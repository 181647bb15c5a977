package ridestream

import (
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	dispatchv1 "ridestream.org/clients/go/gen/ridestream/dispatch/v1"
)

// pending is a command whose effect hasn't been seen. done closes when it was, or never will be.
type pending struct {
	key     string
	request *dispatchv1.DriveRequest
	// The plan that held when the command was given; only a newer one answers it.
	afterVersion uint64
	done         chan struct{}
	result       proto.Message
	err          error
}

// commands are sent again after each Welcome, in their order, until their effect is seen. Not
// thread-safe.
type commands struct{ waiting []*pending }

func offerKey(offerID string) string { return "offer " + offerID }
func stopKey(u *dispatchv1.StopUpdate) string {
	return fmt.Sprintf("stop %s %d", u.TripId, u.Action)
}
func giveUpKey(g *dispatchv1.GiveUp) string { return "give up " + g.TripId }

const shiftKey = "end shift"

func keyOf(request *dispatchv1.DriveRequest) string {
	switch m := request.Message.(type) {
	case *dispatchv1.DriveRequest_OfferAnswer:
		return offerKey(m.OfferAnswer.OfferId)
	case *dispatchv1.DriveRequest_StopUpdate:
		return stopKey(m.StopUpdate)
	case *dispatchv1.DriveRequest_GiveUp:
		return giveUpKey(m.GiveUp)
	}
	return shiftKey
}

func keyOfRejected(rejected *dispatchv1.Rejected) string {
	switch m := rejected.Command.(type) {
	case *dispatchv1.Rejected_OfferAnswer:
		return offerKey(m.OfferAnswer.OfferId)
	case *dispatchv1.Rejected_StopUpdate:
		return stopKey(m.StopUpdate)
	case *dispatchv1.Rejected_GiveUp:
		return giveUpKey(m.GiveUp)
	case *dispatchv1.Rejected_EndShift:
		return shiftKey
	}
	return ""
}

// add notes a command; the same one twice is one. isNew: it has to be sent.
func (c *commands) add(request *dispatchv1.DriveRequest, plan *dispatchv1.Plan) (p *pending, isNew bool, err error) {
	key := keyOf(request)
	if p := c.find(key); p != nil {
		if !proto.Equal(p.request, request) {
			return nil, false, invalid("%s: another answer to the same is under way", key)
		}
		return p, false, nil
	}
	p = &pending{key: key, request: request, afterVersion: plan.GetVersion(), done: make(chan struct{})}
	c.waiting = append(c.waiting, p)
	return p, true, nil
}

func (c *commands) find(key string) *pending {
	for _, p := range c.waiting {
		if p.key == key {
			return p
		}
	}
	return nil
}

// isAnswer tells whether the message rejects a command that waits.
func (c *commands) isAnswer(message *dispatchv1.DriveResponse) bool {
	rejected := message.GetRejected()
	return rejected != nil && c.find(keyOfRejected(rejected)) != nil
}

func (c *commands) onPush(message *dispatchv1.DriveResponse) {
	if rejected := message.GetRejected(); rejected != nil {
		code := codes.Code(rejected.Code)
		if rejected.Code > uint32(codes.Unauthenticated) {
			code = codes.FailedPrecondition
		}
		c.settle(keyOfRejected(rejected), nil, &CommandRejected{code, rejected.Message})
	}
	if ended := message.GetOfferEnded(); ended != nil {
		c.settle(offerKey(ended.OfferId), ended, nil)
	}
}

// onPlan settles what the newest plan shows to be done.
func (c *commands) onPlan(plan *dispatchv1.Plan) {
	for _, p := range append([]*pending(nil), c.waiting...) {
		if plan.GetVersion() > p.afterVersion && shows(plan, p.request) {
			c.settle(p.key, plan, nil)
		}
	}
}

// shows tells whether the plan is one in which the command had its effect.
func shows(plan *dispatchv1.Plan, request *dispatchv1.DriveRequest) bool {
	update, giveUp := request.GetStopUpdate(), request.GetGiveUp()
	if update == nil && giveUp == nil {
		return false
	}
	tripID := update.GetTripId() + giveUp.GetTripId()
	for _, stop := range plan.Stops {
		if stop.TripId != tripID {
			continue
		}
		isPickUp := stop.Kind == dispatchv1.StopKind_STOP_KIND_PICK_UP
		switch update.GetAction() {
		case dispatchv1.StopAction_STOP_ACTION_ARRIVED:
			if isPickUp && !stop.Arrived {
				return false
			}
		case dispatchv1.StopAction_STOP_ACTION_PICKED_UP:
			if isPickUp {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func (c *commands) failAll(err error) {
	for len(c.waiting) > 0 {
		c.settle(c.waiting[0].key, nil, err)
	}
}

func (c *commands) settle(key string, result proto.Message, err error) {
	for i, p := range c.waiting {
		if p.key == key {
			p.result, p.err = result, err
			close(p.done)
			c.waiting = append(c.waiting[:i:i], c.waiting[i+1:]...)
			return
		}
	}
}
