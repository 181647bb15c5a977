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

// A TokenSource returns a valid token. It is called before every call, so it should cache the token.
type TokenSource func(context.Context) (string, error)

// Connection has the address of the service and the caller's credentials.
type Connection struct {
	// HOST:PORT.
	Address string
	// Source of tokens.
	Token TokenSource
	// Root certificates for verifying the service; nil: the system's.
	Roots *x509.CertPool
	// For services that run with --insecure: `driver/ID` or `rider/ID`, sent in plaintext instead of a
	// token.
	InsecureCaller string
}

// open connects to the address, which may differ from the connection's.
func (c *Connection) open(address string) (*grpc.ClientConn, error) {
	transport := credentials.NewTLS(&tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS13})
	if c.InsecureCaller != "" {
		transport = insecure.NewCredentials()
	}
	return grpc.NewClient(address,
		grpc.WithTransportCredentials(transport),
		grpc.WithDisableRetry(),
		// Detects a half-open connection within 30 s, even if nothing is sent.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 10 * time.Second}),
		// Kept short, because this package has its own backoff, to which the channel's is added.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
			// Time limit for connecting.
			MinConnectTimeout: welcomeWithin,
		}))
}

// proof is the caller's credentials in the metadata. Two are equal if they would send the same metadata.
type proof struct{ key, value string }

func (p proof) in(ctx context.Context) context.Context {
	if p.key == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, p.key, p.value)
}

// ofMarket adds the call's market to the metadata, by which a proxy routes the call.
func ofMarket(ctx context.Context, market string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "ridestream-market", market)
}

// prove fetches a token.
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

// route is the address of a driver's next stream: the configured one, or the last one that the service has
// named. Not thread-safe.
type route struct {
	address, configured, named string
	welcomed, redirected       bool
}

func newRoute(address string) route {
	return route{address: address, configured: address, named: address}
}

func (r *route) onWelcome() { r.welcomed, r.redirected = true, false }

// onEnd sets the next address from the one that the end of a stream named, or "". Without one, the next stream
// uses the same address if it has sent a Welcome, else the other one. isFirst: this is the first redirect since
// a Welcome; two processes may name each other.
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

// pauses before retries are random: up to 0.5 s at first; the limit doubles each time, up to 8 s.
type pauses struct{ limit time.Duration }

func (p *pauses) reset() { p.limit = 0 }

// next returns the next pause. If the service requested one (not negative), it is that plus up to a quarter.
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
