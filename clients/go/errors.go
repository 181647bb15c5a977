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

// StatusError is a status that a retry doesn't fix, or that persisted until patience ended. Code ABORTED at the end of a driver's stream: a newer stream of the same driver took over.
type StatusError struct {
	Code    codes.Code
	Message string
	// Pause before a retry that the service requested; negative if none.
	RetryAfter time.Duration
	// Market and host:port that the caller must use instead; empty if none.
	Market, Address string
	// Whether the argument was rejected before anything was sent.
	BeforeTheWire bool
}

func (e *StatusError) Error() string { return fmt.Sprintf("%v: %s", e.Code, e.Message) }

// ProtocolError means that the service violated the protocol.
type ProtocolError struct{ Message string }

func (e *ProtocolError) Error() string { return e.Message }

// CommandRejected means that the service rejected a driver's command. The newest plan shows the current
// state.
type CommandRejected struct {
	Code    codes.Code
	Message string
}

func (e *CommandRejected) Error() string { return fmt.Sprintf("%v: %s", e.Code, e.Message) }

// ErrStopped is returned by a command if the driver was closed before it took effect.
var ErrStopped = errors.New("the driver was closed")

func protocolErrorf(format string, arguments ...any) error {
	return &ProtocolError{fmt.Sprintf(format, arguments...)}
}

// statusOf converts a call's error, with the details in its trailing metadata.
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

// isFault returns whether the error is a fault of the service or of a proxy.
func isFault(code codes.Code) bool {
	switch code {
	case codes.Internal, codes.Unknown, codes.DataLoss, codes.Unimplemented:
		return true
	}
	return false
}

// maxFaults is the number of consecutive faults after which the client gives up.
const maxFaults = 5
