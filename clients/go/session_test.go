package ridestream

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	dispatchv1 "ridestream.org/clients/go/gen/ridestream/dispatch/v1"
)

func welcome(epoch uint64, resumed bool, snapshot *dispatchv1.Snapshot) *dispatchv1.DriveResponse {
	return &dispatchv1.DriveResponse{Message: &dispatchv1.DriveResponse_Welcome{Welcome: &dispatchv1.Welcome{
		DriverId:  "d",
		SessionId: "s", Epoch: epoch, Resumed: resumed, ClockRate: 1, Snapshot: snapshot,
		ReportEvery: durationpb.New(4 * time.Second), Heartbeat: durationpb.New(7 * time.Second),
	}}}
}

func offer(sequence uint64, id string) *dispatchv1.DriveResponse {
	return &dispatchv1.DriveResponse{Sequence: sequence, Message: &dispatchv1.DriveResponse_Offer{
		Offer: &dispatchv1.Offer{OfferId: id, TripId: "t", DriverId: "d"},
	}}
}

func plan(sequence, version uint64) *dispatchv1.DriveResponse {
	return &dispatchv1.DriveResponse{Sequence: sequence, Message: &dispatchv1.DriveResponse_Plan{
		Plan: &dispatchv1.Plan{Version: version, DriverId: "d"},
	}}
}

func push(t *testing.T, s *session, messages ...*dispatchv1.DriveResponse) {
	t.Helper()
	for _, message := range messages {
		if err := s.onPush(message, false); err != nil {
			t.Fatal(err)
		}
	}
}

func take(s *session) Event {
	event := s.next()
	if event != nil {
		s.took()
	}
	return event
}

func connectedSession(t *testing.T) *session {
	t.Helper()
	s := &session{}
	if err := s.onWelcome(welcome(1, false, nil)); err != nil {
		t.Fatal(err)
	}
	if _, is := take(s).(Connected); !is {
		t.Fatal("no Connected event after a Welcome")
	}
	return s
}

func TestPushIsAckedWhenTheAppHasTakenIt(t *testing.T) {
	s := connectedSession(t)
	push(t, s, offer(1, "o"), &dispatchv1.DriveResponse{Sequence: 2})
	if s.ack != 0 {
		t.Fatalf("acked %d before the app took the offer, want 0", s.ack)
	}
	take(s)
	if s.ack != 2 {
		t.Fatalf("acked %d, want 2: the app needn't see a message of an unknown kind", s.ack)
	}
}

func TestResumeListsReceivedPushesThatTheAppHasNotTaken(t *testing.T) {
	s := connectedSession(t)
	push(t, s, offer(1, "o"), plan(2, 7))
	want := &dispatchv1.Resume{SessionId: "s", Epoch: 1, LastSequence: 2, PlanVersion: 7}
	if got := s.hello(&dispatchv1.Hello{Market: "m"}).Resume; !proto.Equal(got, want) {
		t.Fatalf("resume %v, want %v", got, want)
	}
}

func TestNothingIsReportedTwiceAfterAResume(t *testing.T) {
	s := connectedSession(t)
	push(t, s, offer(1, "o"))
	take(s)
	snapshot := &dispatchv1.Snapshot{Plan: &dispatchv1.Plan{Version: 9, DriverId: "d"}, Offer: offer(0, "o").GetOffer()}
	if err := s.onWelcome(welcome(2, true, snapshot)); err != nil {
		t.Fatal(err)
	}
	push(t, s, offer(1, "o"), plan(2, 8))
	if _, is := take(s).(Connected); !is {
		t.Fatal("no Connected event after the resume")
	}
	if got, _ := take(s).(*dispatchv1.Plan); got.GetVersion() != 9 {
		t.Fatalf("got %v, want the snapshot's plan", got)
	}
	if event := take(s); event != nil {
		t.Fatalf("%v was reported twice", event)
	}
}

func TestNewSessionDropsPushesThatTheAppHasNotTaken(t *testing.T) {
	s := connectedSession(t)
	push(t, s, offer(1, "o"))
	if err := s.onWelcome(welcome(2, false, nil)); err != nil {
		t.Fatal(err)
	}
	take(s)
	if event := take(s); event != nil || s.offer != nil {
		t.Fatalf("event %v and offer %v, want none of the earlier session", event, s.offer)
	}
}

func TestOnlyTheNewestPlanIsReported(t *testing.T) {
	s := connectedSession(t)
	for number := uint64(1); number < 60; number++ {
		push(t, s, plan(number, number))
	}
	if got, _ := take(s).(*dispatchv1.Plan); got.GetVersion() != 59 || s.ack != 59 || take(s) != nil {
		t.Fatalf("got %v and ack %d, want only plan 59 and ack 59", got, s.ack)
	}
}

func TestTooManyUnackedPushesAreAProtocolError(t *testing.T) {
	s := connectedSession(t)
	var err error
	for number := uint64(1); err == nil && number < 1_000; number++ {
		err = s.onPush(offer(number, fmt.Sprint(number)), false)
	}
	var protocol *ProtocolError
	if !errors.As(err, &protocol) {
		t.Fatalf("got %v", err)
	}
}

func TestFailedChecksHaveTheServicesMessage(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{checkID("a b", "trip_id"), "trip_id: must be 1 to 64 characters of [A-Za-z0-9._:-], has 3 bytes"},
		{checkText("xxxxx", 4, "note"), "note: must have at most 4 characters"},
		{checkText("a\x07", 4, "note"), "note: must not contain the control character U+0007"},
		{checkText("a\xff", 4, "note"), "note: must be valid UTF-8"},
		{checkRange(9, 1, 8, "seats"), "seats: must be 1 to 8, is 9"},
		{checkPlace(Place(91, 0), "pickup"), "pickup.lat_e7: must be -900000000 to 900000000, is 910000000"},
	} {
		var status *StatusError
		if !errors.As(c.err, &status) || status.Message != c.want {
			t.Errorf("got %v, want %s", c.err, c.want)
		}
	}
	if err := checkText("éééé", 4, "note"); err != nil {
		t.Error(err)
	}
}

func TestPausesDoubleUpToEightSeconds(t *testing.T) {
	var p pauses
	for _, limit := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 8 * time.Second} {
		if pause := p.next(-1); pause > limit || p.limit != limit {
			t.Errorf("pause %v with limit %v, want limit %v", pause, p.limit, limit)
		}
	}
	if pause := p.next(2 * time.Second); pause < 2*time.Second || pause > 2500*time.Millisecond {
		t.Errorf("pause %v after a requested 2 s, want 2 s to 2.5 s", pause)
	}
}

func TestPlanSettlesTheCommandsThatItNames(t *testing.T) {
	var c commands
	arrived := &dispatchv1.StopUpdate{TripId: "t", Action: dispatchv1.StopAction_STOP_ACTION_ARRIVED}
	step, _, _ := c.add(&dispatchv1.DriveRequest{Message: &dispatchv1.DriveRequest_StopUpdate{StopUpdate: arrived}})
	giveUp, _, _ := c.add(&dispatchv1.DriveRequest{
		Message: &dispatchv1.DriveRequest_GiveUp{GiveUp: &dispatchv1.GiveUp{TripId: "t", Reason: "flat tyre"}},
	})
	push := func(answers ...*dispatchv1.AnsweredCommand) *dispatchv1.DriveResponse {
		return &dispatchv1.DriveResponse{Message: &dispatchv1.DriveResponse_Plan{
			Plan: &dispatchv1.Plan{Answers: answers},
		}}
	}
	newest := &dispatchv1.Plan{Version: 3}
	c.onPush(push(), newest) // Has another cause, e.g. the rider cancelled. The rejection follows.
	if len(c.waiting) != 2 {
		t.Fatalf("%d commands wait, want both", len(c.waiting))
	}
	c.onPush(push(&dispatchv1.AnsweredCommand{
		Command: &dispatchv1.AnsweredCommand_StopUpdate{StopUpdate: arrived},
	}), newest)
	<-step.done
	if step.result != newest || len(c.waiting) != 1 {
		t.Errorf("the step got %v, and %d commands wait", step.result, len(c.waiting))
	}
	c.onPush(push(&dispatchv1.AnsweredCommand{
		Command: &dispatchv1.AnsweredCommand_GivenUpTripId{GivenUpTripId: "t"},
	}), newest)
	<-giveUp.done
}

func TestPlanOfAnotherDriverIsAProtocolError(t *testing.T) {
	s := connectedSession(t)
	var fault *ProtocolError
	err := s.onPush(&dispatchv1.DriveResponse{Sequence: 1, Message: &dispatchv1.DriveResponse_Plan{
		Plan: &dispatchv1.Plan{Version: 1, DriverId: "d-2"},
	}}, false)
	if !errors.As(err, &fault) {
		t.Errorf("got %v, want a ProtocolError", err)
	}
}

func TestKnownOfferForAnotherDriverIsAProtocolError(t *testing.T) {
	s := connectedSession(t)
	push(t, s, offer(1, "o"))
	again := offer(2, "o")
	again.GetOffer().DriverId = "d-2"
	var fault *ProtocolError
	if err := s.onPush(again, false); !errors.As(err, &fault) {
		t.Errorf("got %v, want a ProtocolError", err)
	}
}

func TestErrorsContainTheMarketAndAddressToUseInstead(t *testing.T) {
	trailer := metadata.Pairs("retry-after-ms", "500", "ridestream-market", "porto", "ridestream-address", "10.0.0.7:7003")
	got := statusOf(status.Error(codes.FailedPrecondition, "elsewhere"), trailer)
	if got.Market != "porto" || got.Address != "10.0.0.7:7003" || isFinal(got) {
		t.Errorf("got %+v, final: %v", got, isFinal(got))
	}
	if !isFinal(statusOf(status.Error(codes.FailedPrecondition, "not here"), nil)) {
		t.Error("a refusal without a pause is retried, want final")
	}
}
