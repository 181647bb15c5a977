package ridestream

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// StatusError is a status that trying again doesn't mend, or that was still there when patience
// ended. Code ABORTED at the end of a driver's stream: a newer stream of the same driver took over.
type StatusError struct {
	Code    codes.Code
	Message string
	// The pause that the service asked for; negative: none.
	RetryAfter time.Duration
	// The market, and the host:port, that the caller has to go to instead; empty: none.
	Market, Address string
	// Refused here, before anything was sent.
	BeforeTheWire bool
}

func (e *StatusError) Error() string { return fmt.Sprintf("%v: %s", e.Code, e.Message) }

// ProtocolError says that the service sent something that the protocol forbids.
type ProtocolError struct{ Message string }

func (e *ProtocolError) Error() string { return e.Message }

// CommandRejected says that the service couldn't carry a driver's command out. The newest plan says
// what holds.
type CommandRejected struct {
	Code    codes.Code
	Message string
}

func (e *CommandRejected) Error() string { return fmt.Sprintf("%v: %s", e.Code, e.Message) }

// ErrStopped is what a command gets whose driver was closed before its effect was seen.
var ErrStopped = errors.New("the driver was closed")

func protocolErrorf(format string, arguments ...any) error {
	return &ProtocolError{fmt.Sprintf(format, arguments...)}
}

// statusOf reads the call's error, and what its trailing metadata say.
func statusOf(err error, trailer metadata.MD) *StatusError {
	s := status.Convert(err)
	result := &StatusError{Code: s.Code(), Message: s.Message(), RetryAfter: -1}
	for _, text := range trailer.Get("retry-after-ms") {
		if ms, err := strconv.ParseUint(text, 10, 31); err == nil {
			result.RetryAfter = time.Duration(ms) * time.Millisecond
		}
	}
	for _, market := range trailer.Get("ridestream-market") {
		result.Market = market
	}
	for _, address := range trailer.Get("ridestream-address") {
		result.Address = address
	}
	return result
}

// isFault tells a fault of the service, or of what speaks in its place.
func isFault(code codes.Code) bool {
	switch code {
	case codes.Internal, codes.Unknown, codes.DataLoss, codes.Unimplemented:
		return true
	}
	return false
}

// maxFaults in a row are taken, and then given up.
const maxFaults = 5
