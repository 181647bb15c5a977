package ridestream

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"iter"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/metadata"
	marketv1 "ridestream.org/clients/go/gen/ridestream/market/v1"
	tripv1 "ridestream.org/clients/go/gen/ridestream/trip/v1"
)

// A Rider quotes, requests, watches, changes and cancels trips. Calls that may succeed later are retried until
// their context or Patience ends; every other status is a *StatusError. Safe for concurrent use.
type Rider struct {
	// Time for which a call is retried; 30 s if it is 0.
	Patience time.Duration

	connection Connection
	mu         sync.Mutex
	channel    *grpc.ClientConn
	closed     bool
}

// NewRider creates a rider, which connects at the first call.
func NewRider(connection Connection) *Rider { return &Rider{connection: connection} }

// Close ends running calls.
func (r *Rider) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.channel != nil {
		_ = r.channel.Close()
	}
}

// Markets returns the served markets and their bounds.
func (r *Rider) Markets(ctx context.Context) ([]*marketv1.Market, error) {
	answer, err := call(ctx, r, time.Second, &marketv1.ListMarketsRequest{},
		func(c grpc.ClientConnInterface) method[marketv1.ListMarketsRequest, marketv1.ListMarketsResponse] {
			return marketv1.NewMarketServiceClient(c).ListMarkets
		})
	return answer.GetMarkets(), err
}

// Quote returns the price of a ride, which is valid until ExpiresAt. The party has 1 to 8 people.
func (r *Rider) Quote(ctx context.Context, request *tripv1.QuoteTripRequest) (*tripv1.QuoteTripResponse, error) {
	if err := firstOf(
		checkID(request.Market, "market"),
		checkPlace(request.Pickup, "pickup"),
		checkPlace(request.Dropoff, "dropoff"),
		checkRange(int64(request.PartySize), 1, maxSeats, "party_size"),
	); err != nil {
		return nil, err
	}
	quote, err := call(ofMarket(ctx, request.Market), r, 2*time.Second, request,
		func(c grpc.ClientConnInterface) method[tripv1.QuoteTripRequest, tripv1.QuoteTripResponse] {
			return tripv1.NewTripServiceClient(c).QuoteTrip
		})
	if err == nil && quote.QuoteId == "" {
		return nil, protocolErrorf("quote_id: is empty")
	}
	return quote, err
}

// Request requests the ride. If RequestId is empty, one is generated. An app that may be terminated meanwhile
// should choose and store it: a repeated request with the same id returns the same trip.
func (r *Rider) Request(ctx context.Context, request *tripv1.RequestTripRequest) (*tripv1.Trip, error) {
	setID(&request.RequestId)
	if err := firstOf(
		checkID(request.RequestId, "request_id"),
		checkID(request.QuoteId, "quote_id"),
		checkText(request.RiderName, maxName, "rider_name"),
		checkText(request.Note, maxText, "note"),
	); err != nil {
		return nil, err
	}
	answer, err := call(ctx, r, 5*time.Second, request,
		func(c grpc.ClientConnInterface) method[tripv1.RequestTripRequest, tripv1.RequestTripResponse] {
			return tripv1.NewTripServiceClient(c).RequestTrip
		})
	return checkTrip(answer.GetTrip(), "", err)
}

// Cancel ends the trip before its drop-off. The default reason is that the rider changed their mind. If
// RequestId is empty, one is generated.
func (r *Rider) Cancel(ctx context.Context, request *tripv1.CancelTripRequest) (*tripv1.Trip, error) {
	setID(&request.RequestId)
	if request.Reason == tripv1.CancelReason_CANCEL_REASON_UNSPECIFIED {
		request.Reason = tripv1.CancelReason_CANCEL_REASON_CHANGED_MIND
	}
	if err := firstOf(
		checkID(request.RequestId, "request_id"),
		checkID(request.TripId, "trip_id"),
		checkReason(request.Reason),
		checkText(request.Comment, maxText, "comment"),
	); err != nil {
		return nil, err
	}
	answer, err := call(ctx, r, 5*time.Second, request,
		func(c grpc.ClientConnInterface) method[tripv1.CancelTripRequest, tripv1.CancelTripResponse] {
			return tripv1.NewTripServiceClient(c).CancelTrip
		})
	return checkTrip(answer.GetTrip(), request.TripId, err)
}

// ChangeDestination changes the trip's drop-off, also during the ride. The returned trip has the new fare. If
// RequestId is empty, one is generated.
func (r *Rider) ChangeDestination(ctx context.Context, request *tripv1.ChangeDestinationRequest) (*tripv1.Trip, error) {
	setID(&request.RequestId)
	if err := firstOf(
		checkID(request.RequestId, "request_id"),
		checkID(request.TripId, "trip_id"),
		checkPlace(request.Dropoff, "dropoff"),
	); err != nil {
		return nil, err
	}
	answer, err := call(ctx, r, 5*time.Second, request,
		func(c grpc.ClientConnInterface) method[tripv1.ChangeDestinationRequest, tripv1.ChangeDestinationResponse] {
			return tripv1.NewTripServiceClient(c).ChangeDestination
		})
	return checkTrip(answer.GetTrip(), request.TripId, err)
}

// Get returns the stored trip.
func (r *Rider) Get(ctx context.Context, tripID string) (*tripv1.Trip, error) {
	if err := checkID(tripID, "trip_id"); err != nil {
		return nil, err
	}
	answer, err := call(ctx, r, time.Second, &tripv1.GetTripRequest{TripId: tripID},
		func(c grpc.ClientConnInterface) method[tripv1.GetTripRequest, tripv1.GetTripResponse] {
			return tripv1.NewTripServiceClient(c).GetTrip
		})
	return checkTrip(answer.GetTrip(), tripID, err)
}

// Watch yields the trip now and at each change, until it has ended. It reconnects when the stream breaks, and
// skips states older than the last one. An error is its last value.
func (r *Rider) Watch(ctx context.Context, tripID string) iter.Seq2[*tripv1.WatchTripResponse, error] {
	return func(yield func(*tripv1.WatchTripResponse, error) bool) {
		if err := checkID(tripID, "trip_id"); err != nil {
			yield(nil, err)
			return
		}
		w := watch{rider: r, tripID: tripID}
		for {
			again, err := w.once(ctx, func(update *tripv1.WatchTripResponse) bool { return yield(update, nil) })
			if err != nil {
				yield(nil, err)
			}
			if !again || err != nil {
				return
			}
		}
	}
}

// watch is the state of watching one trip, across streams.
type watch struct {
	rider   *Rider
	tripID  string
	version uint64
	pauses  pauses
	retry   retry
	faults  int
}

// once watches through one stream, and waits before the next. again: there may be more updates.
func (w *watch) once(ctx context.Context, tell func(*tripv1.WatchTripResponse) bool) (again bool, err error) {
	proof, err := w.rider.connection.prove(ctx)
	if err != nil {
		return false, err
	}
	// A new connection, because an existing one may be half-open.
	connection, err := w.rider.connection.open(w.rider.connection.Address)
	if err != nil {
		return false, err
	}
	defer connection.Close()
	var trailer metadata.MD
	call, err := tripv1.NewTripServiceClient(connection).WatchTrip(proof.in(ctx), &tripv1.WatchTripRequest{TripId: w.tripID})
	for err == nil {
		var update *tripv1.WatchTripResponse
		if update, err = call.Recv(); err != nil {
			trailer = call.Trailer()
			break
		}
		if _, err := checkTrip(update.Trip, w.tripID, nil); err != nil {
			return false, err
		}
		w.pauses.reset()
		w.faults = 0
		if update.Trip.Version < w.version {
			continue
		}
		w.version = update.Trip.Version
		if !tell(update) || hasEnded(update.Trip.State) {
			return false, nil
		}
	}
	pause := time.Duration(-1)
	if !errors.Is(err, io.EOF) {
		status := statusOf(err, trailer)
		pause = status.RetryAfter
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		mayHelp := w.retry.mayHelp(status, proof)
		if isFault(status.Code) && status.Code != codes.Unimplemented {
			w.faults++
			mayHelp = w.faults < maxFaults
		}
		if !mayHelp {
			return false, status
		}
	}
	return true, sleep(ctx, w.pauses.next(pause))
}

func hasEnded(state tripv1.TripState) bool {
	switch state {
	case tripv1.TripState_TRIP_STATE_COMPLETED, tripv1.TripState_TRIP_STATE_CANCELLED, tripv1.TripState_TRIP_STATE_UNSERVED:
		return true
	}
	return false
}

type method[Request, Response any] func(context.Context, *Request, ...grpc.CallOption) (*Response, error)

// call retries until it succeeds, fails permanently, or patience ends. Each try has the method's deadline.
func call[Request, Response any](ctx context.Context, r *Rider, deadline time.Duration, request *Request,
	of func(grpc.ClientConnInterface) method[Request, Response]) (*Response, error) {
	patience := r.Patience
	if patience == 0 {
		patience = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var pauses pauses
	var retry retry
	for {
		proof, err := r.connection.prove(ctx)
		if err != nil {
			return nil, err
		}
		channel, err := r.open()
		if err != nil {
			return nil, err
		}
		var trailer metadata.MD
		try, end := context.WithTimeout(proof.in(ctx), deadline)
		response, err := of(channel)(try, request, grpc.Trailer(&trailer))
		end()
		if err == nil {
			return response, nil
		}
		status := statusOf(err, trailer)
		if !retry.mayHelp(status, proof) || ctx.Err() != nil {
			return nil, status
		}
		if status.Code == codes.DeadlineExceeded && channel.GetState() == connectivity.Ready {
			r.drop(channel) // Its connection may be half-open.
		}
		pause := pauses.next(status.RetryAfter)
		if end, ok := ctx.Deadline(); ok && time.Until(end) <= pause {
			return nil, status
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, status
		}
	}
}

// retry remembers the token that was refused, because only another one is worth a retry.
type retry struct{ refused proof }

// mayHelp returns whether the same call may succeed later. All calls are idempotent, so retrying is safe if a
// response was lost.
func (r *retry) mayHelp(status *StatusError, proof proof) bool {
	switch status.Code {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return true // Canceled: a proxy lost its connection to the service.
	case codes.Unauthenticated:
		isNew := proof.key != "" && proof != r.refused
		r.refused = proof
		return isNew
	}
	return status.RetryAfter >= 0
}

func (r *Rider) open() (*grpc.ClientConn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, &StatusError{Code: codes.Canceled, Message: "the rider was closed", RetryAfter: -1}
	}
	var err error
	if r.channel == nil {
		r.channel, err = r.connection.open(r.connection.Address)
	}
	return r.channel, err
}

// drop makes the next call open a new channel. Calls on this one have some time to finish.
func (r *Rider) drop(channel *grpc.ClientConn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.channel == channel {
		r.channel = nil
		time.AfterFunc(5*time.Second, func() { _ = channel.Close() })
	}
}

func setID(id *string) {
	if *id == "" {
		*id = rand.Text()
	}
}

func checkReason(reason tripv1.CancelReason) error {
	if _, known := tripv1.CancelReason_name[int32(reason)]; !known {
		return invalid("reason: must be one of its named values other than UNSPECIFIED, is %d", reason)
	}
	if reason == tripv1.CancelReason_CANCEL_REASON_NO_SHOW {
		return invalid("reason: NO_SHOW is set only where a driver releases a trip")
	}
	return nil
}

func checkTrip(trip *tripv1.Trip, tripID string, err error) (*tripv1.Trip, error) {
	switch {
	case err != nil:
		return nil, err
	case trip.GetTripId() == "":
		return nil, protocolErrorf("trip.trip_id: is empty")
	case tripID != "" && trip.TripId != tripID:
		return nil, protocolErrorf("trip.trip_id: '%s' came for '%s'", trip.TripId, tripID)
	}
	return trip, nil
}
