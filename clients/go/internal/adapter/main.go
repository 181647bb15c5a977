// Command adapter executes the commands of the conformance run with this library; see
// tests/conformance/README.md.
package main

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	ridestream "ridestream.org/clients/go"
	dispatchv1 "ridestream.org/clients/go/gen/ridestream/dispatch/v1"
	tripv1 "ridestream.org/clients/go/gen/ridestream/trip/v1"
)

type request struct {
	ID        int        `json:"id"`
	Op        string     `json:"op"`
	Handle    string     `json:"handle"`
	Address   string     `json:"address"`
	Roots     string     `json:"roots"`
	TokenFile string     `json:"token_file"`
	Market    string     `json:"market"`
	Seats     int        `json:"seats"`
	Name      string     `json:"name"`
	Place     [2]float64 `json:"place"`
	Command   string     `json:"command"`
	Target    string     `json:"target"`
	On        bool       `json:"on"`
	PatienceS float64    `json:"patience_s"`
	Pickup    [2]float64 `json:"pickup"`
	Dropoff   [2]float64 `json:"dropoff"`
	PartySize uint32     `json:"party_size"`
	QuoteID   string     `json:"quote_id"`
	Note      string     `json:"note"`
	RequestID string     `json:"request_id"`
	TripID    string     `json:"trip_id"`
	Watch     string     `json:"watch"`
}

type failure struct {
	Kind    string `json:"kind"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
}

// codeName returns the code's name in gRPC's specification, e.g. DEADLINE_EXCEEDED.
func codeName(code codes.Code) string {
	if code == codes.Canceled {
		return "CANCELLED"
	}
	var name strings.Builder
	for i, c := range code.String() {
		if i > 0 && c >= 'A' && c <= 'Z' && code != codes.OK {
			name.WriteByte('_')
		}
		name.WriteRune(c)
	}
	return strings.ToUpper(name.String())
}

func failureOf(err error) *failure {
	var status *ridestream.StatusError
	var rejected *ridestream.CommandRejected
	var protocol *ridestream.ProtocolError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &status):
		return &failure{"status", codeName(status.Code), status.Message}
	case errors.As(err, &rejected):
		return &failure{"rejected", codeName(rejected.Code), rejected.Message}
	case errors.As(err, &protocol):
		return &failure{"protocol", "", protocol.Message}
	case errors.Is(err, ridestream.ErrStopped):
		return &failure{"stopped", "", err.Error()}
	}
	return &failure{"bug", "", err.Error()}
}

// driver is a driver whose events can be left unread for a while.
type driver struct {
	*ridestream.Driver
	mu      sync.Mutex
	changed *sync.Cond
	reads   bool
}

type adapter struct {
	ctx     context.Context
	output  sync.Mutex
	mu      sync.Mutex
	drivers map[string]*driver
	riders  map[string]*ridestream.Rider
}

func (a *adapter) write(message map[string]any) {
	line, err := json.Marshal(message)
	if err != nil {
		log.Fatal(err)
	}
	a.output.Lock()
	defer a.output.Unlock()
	fmt.Println(string(line))
}

func (a *adapter) writeEvent(handle, event string, data any) {
	a.write(map[string]any{"handle": handle, "event": event, "data": data})
}

func asJSON(message proto.Message) any {
	data, err := protojson.Marshal(message)
	if err != nil {
		log.Fatal(err)
	}
	return json.RawMessage(data)
}

func (a *adapter) followDriver(handle string, d *driver) {
	for {
		d.mu.Lock()
		for !d.reads {
			d.changed.Wait()
		}
		d.mu.Unlock()
		event, more := <-d.Events()
		if !more {
			a.writeEvent(handle, "ended", failureOf(d.Err()))
			return
		}
		switch e := event.(type) {
		case ridestream.Connected:
			a.writeEvent(handle, "connected", map[string]any{"resumed": e.Resumed})
		case ridestream.Disconnected:
			a.writeEvent(handle, "disconnected", map[string]any{"code": codeName(e.Err.Code)})
		case *dispatchv1.Offer:
			a.writeEvent(handle, "offer", asJSON(e))
		case *dispatchv1.OfferEnded:
			a.writeEvent(handle, "offer_ended", asJSON(e))
		case *dispatchv1.Plan:
			a.writeEvent(handle, "plan", asJSON(e))
		case *dispatchv1.Rejected:
			a.writeEvent(handle, "rejected", asJSON(e))
		}
	}
}

func (a *adapter) followTrip(handle string, rider *ridestream.Rider, tripID string) {
	for update, err := range rider.Watch(a.ctx, tripID) {
		if err != nil {
			a.writeEvent(handle, "ended", failureOf(err))
			return
		}
		a.writeEvent(handle, "trip", asJSON(update))
	}
	a.writeEvent(handle, "ended", nil)
}

func (a *adapter) connection(r request) (ridestream.Connection, error) {
	pem, err := os.ReadFile(r.Roots)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	token := func(context.Context) (string, error) {
		text, err := os.ReadFile(r.TokenFile)
		return strings.TrimSpace(string(text)), err
	}
	return ridestream.Connection{Address: r.Address, Roots: roots, Token: token}, err
}

func (a *adapter) command(d *driver, r request) (proto.Message, error) {
	switch r.Command {
	case "accept":
		return d.Accept(a.ctx, r.Target)
	case "decline":
		return d.Decline(a.ctx, r.Target)
	case "arrived":
		return d.Arrived(a.ctx, r.Target)
	case "picked_up":
		return d.PickedUp(a.ctx, r.Target)
	case "dropped_off":
		return d.DroppedOff(a.ctx, r.Target)
	case "give_up":
		return d.GiveUp(a.ctx, r.Target, "", dispatchv1.GiveUpCause_GIVE_UP_CAUSE_CANT_DRIVE)
	}
	return nil, d.EndShift(a.ctx)
}

func (a *adapter) performDriver(r request) (proto.Message, error) {
	if r.Op == "driver_open" {
		connection, err := a.connection(r)
		if err != nil {
			return nil, err
		}
		opened, err := ridestream.Drive(a.ctx, connection, ridestream.Shift{Market: r.Market, Seats: r.Seats, Name: r.Name})
		if err != nil {
			return nil, err
		}
		d := &driver{Driver: opened, reads: true}
		d.changed = sync.NewCond(&d.mu)
		a.mu.Lock()
		a.drivers[r.Handle] = d
		a.mu.Unlock()
		go a.followDriver(r.Handle, d)
		return nil, nil
	}
	a.mu.Lock()
	d := a.drivers[r.Handle]
	a.mu.Unlock()
	switch r.Op {
	case "driver_move":
		return nil, d.MoveTo(r.Place[0], r.Place[1], 0, 0)
	case "driver_command":
		return a.command(d, r)
	case "driver_read":
		d.mu.Lock()
		d.reads = r.On
		d.mu.Unlock()
		d.changed.Broadcast()
	case "driver_close":
		d.Close()
	}
	return nil, nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func (a *adapter) performRider(r request) (proto.Message, error) {
	a.mu.Lock()
	rider := a.riders[r.Handle]
	a.mu.Unlock()
	switch r.Op {
	case "rider_open":
		connection, err := a.connection(r)
		rider = ridestream.NewRider(connection)
		rider.Patience = seconds(r.PatienceS)
		a.mu.Lock()
		a.riders[r.Handle] = rider
		a.mu.Unlock()
		return nil, err
	case "rider_close":
		rider.Close()
	case "quote":
		return rider.Quote(a.ctx, &tripv1.QuoteTripRequest{
			Market: r.Market, PartySize: r.PartySize,
			Pickup:  ridestream.Place(r.Pickup[0], r.Pickup[1]),
			Dropoff: ridestream.Place(r.Dropoff[0], r.Dropoff[1]),
		})
	case "request":
		return rider.Request(a.ctx, &tripv1.RequestTripRequest{
			RequestId: r.RequestID, QuoteId: r.QuoteID, RiderName: r.Name, Note: r.Note,
		})
	case "watch":
		go a.followTrip(r.Watch, rider, r.TripID)
	case "change":
		return rider.ChangeDestination(a.ctx, &tripv1.ChangeDestinationRequest{
			RequestId: r.RequestID, TripId: r.TripID, Dropoff: ridestream.Place(r.Dropoff[0], r.Dropoff[1]),
		})
	case "cancel":
		return rider.Cancel(a.ctx, &tripv1.CancelTripRequest{RequestId: r.RequestID, TripId: r.TripID})
	case "get":
		return rider.Get(a.ctx, r.TripID)
	default:
		return nil, fmt.Errorf("op %s is unknown", r.Op)
	}
	return nil, nil
}

func (a *adapter) answer(r request) {
	perform := a.performRider
	if strings.HasPrefix(r.Op, "driver_") {
		perform = a.performDriver
	}
	message, err := perform(r)
	switch {
	case err != nil:
		a.write(map[string]any{"id": r.ID, "error": failureOf(err)})
	case message == nil || !message.ProtoReflect().IsValid():
		a.write(map[string]any{"id": r.ID, "result": nil})
	default:
		a.write(map[string]any{"id": r.ID, "result": asJSON(message)})
	}
}

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	a := &adapter{ctx: ctx, drivers: map[string]*driver{}, riders: map[string]*ridestream.Rider{}}
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<24)
	for input.Scan() {
		var r request
		if err := json.Unmarshal(input.Bytes(), &r); err != nil {
			log.Fatal(err)
		}
		go a.answer(r)
	}
	cancel()
}
