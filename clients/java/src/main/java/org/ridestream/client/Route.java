package org.ridestream.client;

import java.util.regex.Pattern;

/**
 * The address of a driver's next stream: the configured one, or the last one that the service has
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
   * Sets the next address from the one that the end of a stream named, or "". Without one, the next
   * stream uses the same address if it has sent a Welcome, else the other one. Returns whether this
   * is the first redirect since a Welcome, because two processes may name each other.
   *
   * @throws ProtocolException if the address is invalid
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
