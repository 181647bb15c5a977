package ridestream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"math/rand/v2"
	"regexp"
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

// open connects to that address, which may be another than the connection's own.
func (c *Connection) open(address string) (*grpc.ClientConn, error) {
	transport := credentials.NewTLS(&tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS13})
	if c.InsecureCaller != "" {
		transport = insecure.NewCredentials()
	}
	return grpc.NewClient(address,
		grpc.WithTransportCredentials(transport),
		grpc.WithDisableRetry(),
		// A half-open connection ends after 30 s also where nothing is sent.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 10 * time.Second}),
		// The pauses of this package decide; the channel's own come on top of them.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
			// How long a connection may take to be made.
			MinConnectTimeout: welcomeWithin,
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

var addressPattern = regexp.MustCompile(`^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253}):[0-9]{1,5}$`)

// route is where a driver's next stream goes: the configured address, or the last one that the service
// has named. Not thread-safe.
type route struct {
	address, configured, named string
	welcomed, redirected       bool
}

func newRoute(address string) route {
	return route{address: address, configured: address, named: address}
}

func (r *route) onWelcome() { r.welcomed, r.redirected = true, false }

// onEnd takes the address that a stream's end named, or "". Without a name the next stream goes to the
// same address if a Welcome came from there, else to the other one. isFirst: this is the first redirect
// since a Welcome; two processes may name each other.
func (r *route) onEnd(named string) (isFirst bool, err error) {
	welcomed := r.welcomed
	r.welcomed = false
	switch {
	case named == "" && welcomed:
	case named == "" && r.address == r.configured:
		r.address = r.named
	case named == "":
		r.address = r.configured
	case !addressPattern.MatchString(named):
		return false, protocolErrorf("the service named '%s', which isn't host:port", named)
	default:
		r.address, r.named = named, named
		isFirst = !r.redirected
		r.redirected = true
	}
	return isFirst, nil
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
