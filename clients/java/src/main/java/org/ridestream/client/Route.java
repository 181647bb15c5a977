package org.ridestream.client;

import java.util.regex.Pattern;

/**
 * Where a driver's next stream goes: the configured address, or the last one that the service has
 * named. Not thread-safe.
 */
final class Route {
  private static final Pattern ADDRESS =
      Pattern.compile("(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]{1,253}):[0-9]{1,5}");

  private final String configured;
  private String named;
  private String address;
  private boolean welcomed;
  private boolean redirected;

  Route(String configured) {
    this.configured = configured;
    named = configured;
    address = configured;
  }

  String address() {
    return address;
  }

  void onWelcome() {
    welcomed = true;
    redirected = false;
  }

  /**
   * Takes the address that a stream's end named, or "". Without a name the next stream goes to the
   * same address if a Welcome came from there, else to the other one. Returns whether this is the
   * first redirect since a Welcome: two processes may name each other.
   *
   * @throws ProtocolException the name is no address
   */
  boolean onEnd(String fresh) {
    boolean wasWelcomed = welcomed;
    welcomed = false;
    if (fresh.isEmpty()) {
      if (!wasWelcomed) address = address.equals(configured) ? named : configured;
      return false;
    }
    if (!ADDRESS.matcher(fresh).matches()) {
      throw new ProtocolException("the service named '" + fresh + "', which isn't host:port");
    }
    named = fresh;
    address = fresh;
    boolean isFirst = !redirected;
    redirected = true;
    return isFirst;
  }
}
