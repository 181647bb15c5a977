package ridestream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
)

// A TokenSource gives a token that is valid now. It is asked for every call, so it should cache.
type TokenSource func(context.Context) (string, error)

// Connection says where the service is, and who calls.
type Connection struct {
	// HOST:PORT.
	Address string
	// Gives tokens.
	Token TokenSource
	// The authorities that the service's certificate must lead to; nil: those of the system.
	Roots *x509.CertPool
	// For services that run with --insecure: plaintext, and `driver/ID` or `rider/ID` instead of a
	// token.
	InsecureCaller string
}

func (c *Connection) open() (*grpc.ClientConn, error) {
	transport := credentials.NewTLS(&tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS13})
	if c.InsecureCaller != "" {
		transport = insecure.NewCredentials()
	}
	return grpc.NewClient(c.Address,
		grpc.WithTransportCredentials(transport),
		grpc.WithDisableRetry(),
		// A half-open connection ends after 30 s also where nothing is sent.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 10 * time.Second}),
		// The pauses of this package decide; the channel's own come on top of them.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
			MinConnectTimeout: 5 * time.Second,
		}))
}

// proof is what the metadata say about the caller: two are equal where the same would be said again.
type proof struct{ key, value string }

func (p proof) in(ctx context.Context) context.Context {
	if p.key == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, p.key, p.value)
}

// ofMarket names the market that the call concerns, so that a proxy finds its process.
func ofMarket(ctx context.Context, market string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "ridestream-market", market)
}

// prove asks for a token now.
func (c *Connection) prove(ctx context.Context) (proof, error) {
	if c.InsecureCaller != "" {
		return proof{"ridestream-caller", c.InsecureCaller}, nil
	}
	if c.Token == nil {
		return proof{}, nil
	}
	token, err := c.Token(ctx)
	return proof{"authorization", "Bearer " + token}, err
}

// pauses before a next try: random up to 0.5 s, then twice as long each time up to 8 s.
type pauses struct{ limit time.Duration }

func (p *pauses) reset() { p.limit = 0 }

// next is what was asked for and up to a quarter more, where something was (not negative).
func (p *pauses) next(asked time.Duration) time.Duration {
	if asked >= 0 {
		return asked + time.Duration(rand.Float64()*float64(asked)/4)
	}
	p.limit = min(max(2*p.limit, 500*time.Millisecond), 8*time.Second)
	return time.Duration(rand.Float64() * float64(p.limit))
}

// sleep returns early with the context's error.
func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
