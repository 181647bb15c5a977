package org.ridestream.client;

import org.ridestream.common.v1.LatLng;

/** Makes places on the earth. */
public final class Places {
  private Places() {}

  /**
   * A place, from degrees.
   *
   * @throws InvalidArgumentException if there is no such place
   */
  public static LatLng of(double lat, double lng) {
    return Checks.place(lat, lng, "place");
  }
}
