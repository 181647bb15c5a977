package ridestream

import (
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	dispatchv1 "ridestream.org/clients/go/gen/ridestream/dispatch/v1"
)

// pending is a command whose effect hasn't been seen. done is closed when it has been, or never will be.
type pending struct {
	key     string
	request *dispatchv1.DriveRequest
	done    chan struct{}
	result  proto.Message
	err     error
}

// commands are sent again after each Welcome, in their order, until their effect is seen. Not
// thread-safe.
type commands struct{ waiting []*pending }

func offerKey(offerID string) string { return "offer " + offerID }
func stopKey(u *dispatchv1.StopUpdate) string {
	return fmt.Sprintf("stop %s %d", u.TripId, u.Action)
}
func giveUpKey(tripID string) string { return "give up " + tripID }

const shiftKey = "end shift"

func keyOf(request *dispatchv1.DriveRequest) string {
	switch m := request.Message.(type) {
	case *dispatchv1.DriveRequest_OfferAnswer:
		return offerKey(m.OfferAnswer.OfferId)
	case *dispatchv1.DriveRequest_StopUpdate:
		return stopKey(m.StopUpdate)
	case *dispatchv1.DriveRequest_GiveUp:
		return giveUpKey(m.GiveUp.TripId)
	}
	return shiftKey
}

func keyOfAnswer(answer *dispatchv1.AnsweredCommand) string {
	switch m := answer.Command.(type) {
	case *dispatchv1.AnsweredCommand_StopUpdate:
		return stopKey(m.StopUpdate)
	case *dispatchv1.AnsweredCommand_GivenUpTripId:
		return giveUpKey(m.GivenUpTripId)
	}
	return ""
}

func keyOfRejected(rejected *dispatchv1.Rejected) string {
	switch m := rejected.Command.(type) {
	case *dispatchv1.Rejected_OfferAnswer:
		return offerKey(m.OfferAnswer.OfferId)
	case *dispatchv1.Rejected_StopUpdate:
		return stopKey(m.StopUpdate)
	case *dispatchv1.Rejected_GiveUp:
		return giveUpKey(m.GiveUp.TripId)
	case *dispatchv1.Rejected_EndShift:
		return shiftKey
	}
	return ""
}

// add adds a command, unless the same one is already pending. isNew: it must be sent.
func (c *commands) add(request *dispatchv1.DriveRequest) (p *pending, isNew bool, err error) {
	key := keyOf(request)
	if p := c.find(key); p != nil {
		if !proto.Equal(p.request, request) {
			return nil, false, invalid("%s: another answer to the same is under way", key)
		}
		return p, false, nil
	}
	p = &pending{key: key, request: request, done: make(chan struct{})}
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

// isAnswer returns whether the message rejects a pending command.
func (c *commands) isAnswer(message *dispatchv1.DriveResponse) bool {
	rejected := message.GetRejected()
	return rejected != nil && c.find(keyOfRejected(rejected)) != nil
}

// onPush settles the commands that the message answers; newest is the current plan.
func (c *commands) onPush(message *dispatchv1.DriveResponse, newest *dispatchv1.Plan) {
	if rejected := message.GetRejected(); rejected != nil {
		code := codes.Code(rejected.Code)
		if code == codes.OK || code > codes.Unauthenticated {
			code = codes.FailedPrecondition
		}
		c.settle(keyOfRejected(rejected), nil, &CommandRejected{code, rejected.Message})
	}
	if ended := message.GetOfferEnded(); ended != nil {
		c.settle(offerKey(ended.OfferId), ended, nil)
	}
	for _, answer := range message.GetPlan().GetAnswers() {
		c.settle(keyOfAnswer(answer), newest, nil)
	}
}

// onSnapshot settles the commands whose effect the snapshot's plan shows; their answers may have been lost.
func (c *commands) onSnapshot(plan *dispatchv1.Plan) {
	if plan == nil {
		return
	}
	for _, p := range append([]*pending(nil), c.waiting...) {
		if shows(plan, p.request) {
			c.settle(p.key, plan, nil)
		}
	}
}

// shows returns whether the plan shows the effect of the command.
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
