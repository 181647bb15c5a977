package ridestream

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc/codes"
	dispatchv1 "ridestream.org/clients/go/gen/ridestream/dispatch/v1"
)

const (
	welcomeWithin = 10 * time.Second
	healthyAfter  = 30 * time.Second
	maxPause      = 10 * time.Minute
	// Lower bound of the interval of reports, whatever a Welcome says.
	minPeriod = 100 * time.Millisecond
)

var errShiftEnded = errors.New("the shift has ended")

// run opens streams one after another.
func (d *Driver) run(ctx context.Context) {
	var pauses pauses
	var refused proof
	route := newRoute(d.connection.Address)
	faults := 0
	for {
		proof, err := d.connection.prove(ctx)
		if err != nil {
			d.finish(err)
			return
		}
		began := time.Now()
		err = d.stream(ctx, proof, &route, &pauses)
		var status *StatusError
		switch {
		case ctx.Err() != nil:
			d.finish(ctx.Err())
			return
		case errors.Is(err, errShiftEnded):
			d.finish(nil)
			return
		case !errors.As(err, &status) || isFinal(status):
			d.finish(err)
			return
		}
		if status.Code == codes.Unauthenticated {
			// After a Goodbye the token had expired; after another status, so had the next one.
			if proof == refused || proof.key == "" {
				d.finish(err)
				return
			}
			refused = proof
		}
		if !isFault(status.Code) || time.Since(began) >= healthyAfter {
			faults = 0
		}
		if isFault(status.Code) {
			faults++
		}
		if faults >= maxFaults {
			d.finish(err)
			return
		}
		if status.RetryAfter > maxPause {
			d.finish(protocolErrorf("a pause of %v was asked for", status.RetryAfter))
			return
		}
		isRedirect, err := route.onEnd(status.Address)
		if err != nil {
			d.finish(err)
			return
		}
		var pause time.Duration
		// A refusal's pause applies to its own address only; a Goodbye's pause spreads reconnects.
		if !isRedirect || status.Code != codes.FailedPrecondition {
			pause = pauses.next(status.RetryAfter)
		}
		d.mu.Lock()
		err = d.session.tellOfConnection(Disconnected{status, pause})
		d.mu.Unlock()
		signal(d.news)
		if err == nil {
			err = sleep(ctx, pause)
		}
		if err != nil {
			d.finish(err)
			return
		}
	}
}

// stream runs one stream until it ends.
func (d *Driver) stream(ctx context.Context, proof proof, route *route, pauses *pauses) error {
	// A new connection, because an existing one may be half-open.
	connection, err := d.connection.open(route.address)
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	writing := make(chan struct{})
	close(writing)
	defer func() { cancel(nil); <-writing }()
	watchdog := time.AfterFunc(welcomeWithin, func() {
		why := "the service said nothing for too long"
		cancel(&StatusError{Code: codes.DeadlineExceeded, Message: why, RetryAfter: -1})
	})
	defer watchdog.Stop()
	defer d.setLive(false)

	call, err := dispatchv1.NewDispatchServiceClient(connection).Drive(ofMarket(proof.in(ctx), d.hello.Market))
	if err != nil {
		return causeOr(ctx, statusOf(err, nil))
	}
	d.mu.Lock()
	hello := d.session.hello(d.hello)
	d.mu.Unlock()
	// Recv returns errors of sending.
	_ = call.Send(&dispatchv1.DriveRequest{Message: &dispatchv1.DriveRequest_Hello{Hello: hello}})
	for isFirst := true; ; isFirst = false {
		message, err := call.Recv()
		if errors.Is(err, io.EOF) {
			return d.onEnd()
		} else if err != nil {
			status := statusOf(err, call.Trailer())
			return causeOr(ctx, status)
		}
		if goodbye := message.GetGoodbye(); goodbye != nil && !isFirst {
			return d.onGoodbye(goodbye)
		}
		if !watchdog.Stop() {
			return causeOr(ctx, nil)
		}
		if isFirst {
			err = d.onWelcome(message)
		} else {
			err = d.onPush(message)
		}
		if err != nil {
			return err
		}
		signal(d.news)
		if isFirst {
			route.onWelcome()
			pauses.reset()
			writing = make(chan struct{})
			go d.write(ctx, call, writing)
		}
		watchdog.Reset(d.silence())
	}
}

func causeOr(ctx context.Context, err error) error {
	var silent *StatusError
	if errors.As(context.Cause(ctx), &silent) {
		return silent
	}
	return err
}

func (d *Driver) setLive(live bool) {
	d.mu.Lock()
	d.live = live
	d.mu.Unlock()
}

func (d *Driver) onEnd() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.commands.find(shiftKey) != nil {
		d.commands.settle(shiftKey, nil, nil)
		return errShiftEnded
	}
	return &StatusError{Code: codes.Unavailable, Message: "the service ended the stream", RetryAfter: -1}
}

func (d *Driver) onGoodbye(goodbye *dispatchv1.Goodbye) error {
	d.mu.Lock()
	pause := d.wall(goodbye.ReconnectAfter.AsDuration())
	d.mu.Unlock()
	if pause < 0 {
		return protocolErrorf("a pause of %v was asked for", pause)
	}
	end := &StatusError{
		Code: codes.Unavailable, Message: "the service ends the stream", RetryAfter: pause, Address: goodbye.Address,
	}
	if goodbye.Reason == dispatchv1.GoodbyeReason_GOODBYE_REASON_PROOF_ENDED {
		end.Code, end.Message = codes.Unauthenticated, "the token has ended"
	}
	return end
}

func (d *Driver) onWelcome(message *dispatchv1.DriveResponse) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.session.onWelcome(message); err != nil {
		return err
	}
	d.welcomedAt = time.Now()
	if !message.GetWelcome().Resumed {
		d.positionSequence = 0
	}
	d.acked = 0
	d.outgoing = nil
	d.live = true
	d.commands.onSnapshot(message.GetWelcome().GetSnapshot().GetPlan())
	d.report()
	for _, p := range d.commands.waiting {
		d.send(p.request)
	}
	return nil
}

func (d *Driver) onPush(message *dispatchv1.DriveResponse) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if message.Sequence > 0 && message.Sequence <= d.session.lastSequence {
		d.acked = min(d.acked, message.Sequence-1) // A repeat is acked again.
	}
	if err := d.session.onPush(message, d.commands.isAnswer(message)); err != nil {
		return err
	}
	d.commands.onPush(message, d.session.plan)
	signal(d.wake)
	return nil
}

// silence returns the silence after which the connection is considered dead. The service sends heartbeats at
// the interval that it requires from drivers.
func (d *Driver) silence() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return max(time.Second, 2*d.wall(d.session.welcome.Heartbeat.AsDuration()))
}

// tell delivers events to the app one by one.
func (d *Driver) tell(ctx context.Context) {
	defer close(d.events)
	for {
		d.mu.Lock()
		event, finished := d.session.next(), d.finished
		d.mu.Unlock()
		switch {
		case event == nil && finished:
			return
		case event == nil:
			<-d.news
			continue
		}
		select {
		case d.events <- event:
			d.mu.Lock()
			// Unless a newer event has replaced it meanwhile.
			if d.session.next() == event {
				d.session.took()
			}
			d.mu.Unlock()
			signal(d.wake)
		case <-d.news: // A newer event may have replaced it.
		case <-ctx.Done():
			return
		}
	}
}

// write sends pending messages, and a position or a heartbeat when it is due.
func (d *Driver) write(ctx context.Context, call dispatchv1.DispatchService_DriveClient, done chan struct{}) {
	defer close(done)
	d.mu.Lock()
	reportEvery := max(minPeriod, d.wall(d.session.welcome.ReportEvery.AsDuration()))
	// Earlier than the service requires, so that a slow network doesn't look like silence.
	heartbeat := max(minPeriod, d.wall(d.session.welcome.Heartbeat.AsDuration())*9/10)
	d.mu.Unlock()
	sentAt := time.Now()
	reportedAt := sentAt
	for ctx.Err() == nil {
		request, due := d.nextRequest(sentAt.Add(heartbeat), reportedAt.Add(reportEvery))
		if request == nil {
			timer := time.NewTimer(time.Until(due))
			select {
			case <-d.wake:
			case <-timer.C:
			case <-ctx.Done():
			}
			timer.Stop()
			continue
		}
		if call.Send(request) != nil {
			return // Recv returns the reason.
		}
		sentAt = time.Now()
		if request.GetPosition() != nil {
			reportedAt = sentAt
		}
	}
}

// nextRequest returns the request to send now, or nil and the time until which there is none.
func (d *Driver) nextRequest(heartbeatAt, reportAt time.Time) (*dispatchv1.DriveRequest, time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.session.ack > d.acked {
		d.acked = d.session.ack
		return &dispatchv1.DriveRequest{
			Message: &dispatchv1.DriveRequest_Ack{Ack: &dispatchv1.Ack{Sequence: d.acked}},
		}, time.Time{}
	}
	now := time.Now()
	if len(d.outgoing) == 0 && d.position != nil && !now.Before(reportAt) {
		d.report()
	}
	if len(d.outgoing) > 0 {
		request := d.outgoing[0]
		d.outgoing = d.outgoing[1:]
		return request, time.Time{}
	}
	if !now.Before(heartbeatAt) {
		return &dispatchv1.DriveRequest{
			Message: &dispatchv1.DriveRequest_Heartbeat{Heartbeat: &dispatchv1.Heartbeat{}},
		}, time.Time{}
	}
	if d.position != nil && reportAt.Before(heartbeatAt) {
		return nil, reportAt
	}
	return nil, heartbeatAt
}
