package org.ridestream.client;

import org.ridestream.common.v1.LatLng;

/** Makes places on the earth. */
public final class Places {
  private Places() {}

  /**
   * Returns a place from degrees of latitude and longitude.
   *
   * @throws InvalidArgumentException if the degrees are out of range
   */
  public static LatLng of(double lat, double lng) {
    return Checks.place(lat, lng, "place");
  }
}
