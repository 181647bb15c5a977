package ridestream

import "testing"

func TestRouteAlternatesBetweenTwoAddressesUntilAWelcome(t *testing.T) {
	r := newRoute("home:1")
	end := func(named, want string, wantFirst bool) {
		t.Helper()
		isFirst, err := r.onEnd(named)
		if err != nil || isFirst != wantFirst || r.address != want {
			t.Errorf("onEnd(%q): next %q, first %v, %v; want %q, %v", named, r.address, isFirst, err, want, wantFirst)
		}
	}
	end("", "home:1", false)
	end("other:2", "other:2", true)
	end("third:3", "third:3", false)
	end("", "home:1", false)
	end("", "third:3", false)
	r.onWelcome()
	end("", "third:3", false)
	r.onWelcome()
	end("[::1]:4", "[::1]:4", true)
}

func TestRouteRefusesAnInvalidAddress(t *testing.T) {
	for _, named := range []string{"nowhere", "unix:///tmp/x", "a b:1", ":1", "host:1\n"} {
		r := newRoute("home:1")
		if _, err := r.onEnd(named); err == nil {
			t.Errorf("%q was accepted", named)
		}
	}
}
