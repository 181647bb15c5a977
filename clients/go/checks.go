package ridestream

import (
	"fmt"
	"math"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	commonv1 "ridestream.org/clients/go/gen/ridestream/common/v1"
)

const (
	maxID    = 64
	maxName  = 64
	maxPlate = 16
	maxText  = 256
	maxSeats = 8
)

func invalid(format string, arguments ...any) error {
	return &StatusError{
		Code: codes.InvalidArgument, Message: fmt.Sprintf(format, arguments...),
		RetryAfter: -1, BeforeTheWire: true,
	}
}

func checkID(id, field string) error {
	ok := len(id) >= 1 && len(id) <= maxID
	for i := 0; ok && i < len(id); i++ {
		c := id[i]
		ok = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			c == '.' || c == '_' || c == ':' || c == '-'
	}
	if ok {
		return nil
	}
	return invalid("%s: must be 1 to %d characters of [A-Za-z0-9._:-], has %d bytes", field, maxID, len(id))
}

func isForbidden(c rune) bool {
	return c < 0x20 || c >= 0x7f && c <= 0x9f || c >= 0x2028 && c <= 0x202e || c >= 0x2066 && c <= 0x2069
}

func checkText(text string, limit int, field string) error {
	if len(text) > limit*utf8.UTFMax {
		return invalid("%s: must have at most %d characters", field, limit)
	}
	characters := 0
	for i, c := range text {
		if c == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return invalid("%s: must be valid UTF-8", field)
			}
		}
		if isForbidden(c) {
			return invalid("%s: must not contain the control character U+%04X", field, c)
		}
		if characters++; characters > limit {
			return invalid("%s: must have at most %d characters", field, limit)
		}
	}
	return nil
}

func checkRange(value, low, high int64, field string) error {
	if value >= low && value <= high {
		return nil
	}
	return invalid("%s: must be %d to %d, is %d", field, low, high, value)
}

func checkPlace(place *commonv1.LatLng, field string) error {
	if place == nil {
		return invalid("%s: is missing", field)
	}
	return firstOf(
		checkRange(int64(place.LatE7), -900_000_000, 900_000_000, field+".lat_e7"),
		checkRange(int64(place.LngE7), -1_800_000_000, 1_800_000_000, field+".lng_e7"),
	)
}

// Place returns a place from degrees of latitude and longitude. Functions that get an invalid place reject it.
func Place(lat, lng float64) *commonv1.LatLng {
	return &commonv1.LatLng{LatE7: e7(lat), LngE7: e7(lng)}
}

func e7(degrees float64) int32 {
	rounded := math.Round(degrees * 1e7)
	if math.IsNaN(rounded) || math.Abs(rounded) > math.MaxInt32 {
		return math.MaxInt32 // Out of range for latitude and longitude.
	}
	return int32(rounded)
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
