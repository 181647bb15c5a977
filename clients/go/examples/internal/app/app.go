// Package app has what both examples need: where the service is, and who they are.
package app

import (
	"context"
	"crypto/x509"
	"log"
	"os"
	"strconv"
	"strings"

	"ridestream.org/clients/go"
)

// Connection is told by the environment: RIDESTREAM_ADDRESS, and the files RIDESTREAM_ROOTS with the
// authorities and RIDESTREAM_TOKEN_FILE with a token.
func Connection() ridestream.Connection {
	pem, err := os.ReadFile(os.Getenv("RIDESTREAM_ROOTS"))
	Check(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	token := func(context.Context) (string, error) {
		text, err := os.ReadFile(os.Getenv("RIDESTREAM_TOKEN_FILE"))
		return strings.TrimSpace(string(text)), err
	}
	return ridestream.Connection{Address: os.Getenv("RIDESTREAM_ADDRESS"), Roots: roots, Token: token}
}

// Degrees is the argument of that number.
func Degrees(argument int) float64 {
	if len(os.Args) <= argument {
		log.Fatal("too few arguments: LAT LNG …")
	}
	degrees, err := strconv.ParseFloat(os.Args[argument], 64)
	Check(err)
	return degrees
}

// Check ends the program at the first error.
func Check(errs ...error) {
	for _, err := range errs {
		if err != nil {
			log.Fatal(err)
		}
	}
}
