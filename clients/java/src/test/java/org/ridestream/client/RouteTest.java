package org.ridestream.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

final class RouteTest {
  private final Route route = new Route("home:1");

  private void end(String named, String next, boolean isFirst) {
    assertEquals(isFirst, route.onEnd(named), named);
    assertEquals(next, route.address(), named);
  }

  @Test
  void alternatesBetweenTwoAddressesUntilAWelcome() {
    end("", "home:1", false);
    end("other:2", "other:2", true);
    end("third:3", "third:3", false);
    end("", "home:1", false);
    end("", "third:3", false);
    route.onWelcome();
    end("", "third:3", false);
    route.onWelcome();
    end("[::1]:4", "[::1]:4", true);
  }

  @Test
  void refusesAnInvalidAddress() {
    for (String named : List.of("nowhere", "unix:///tmp/x", "a b:1", ":1", "host:1\n")) {
      assertThrows(ProtocolException.class, () -> route.onEnd(named), named);
    }
  }
}
