package org.ridestream.client;

import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import org.ridestream.common.v1.LatLng;

/** Checks arguments before a call is sent, with the service's rules and messages. */
final class Checks {
  static final int MAX_NAME = 64;
  static final int MAX_PLATE = 16;
  static final int MAX_TEXT = 256;
  static final int MAX_SEATS = 8;

  private static final Pattern ID = Pattern.compile("[A-Za-z0-9._:-]{1,64}");
  private static final long MAX_LAT_E7 = 900_000_000L;
  private static final long MAX_LNG_E7 = 1_800_000_000L;

  private Checks() {}

  static InvalidArgumentException invalid(String format, Object... arguments) {
    return new InvalidArgumentException(String.format(format, arguments));
  }

  static void id(String value, String field) {
    if (ID.matcher(value).matches()) return;
    int bytes = value.getBytes(StandardCharsets.UTF_8).length;
    throw invalid("%s: must be 1 to 64 characters of [A-Za-z0-9._:-], has %d bytes", field, bytes);
  }

  static void text(String value, int limit, String field) {
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(value)) {
      throw invalid("%s: must be valid UTF-8", field);
    }
    boolean tooLong = value.codePointCount(0, value.length()) > limit;
    // A text that is far too long is refused anyway, so its characters are not checked.
    if (value.getBytes(StandardCharsets.UTF_8).length <= 4 * limit) {
      value.codePoints()
          .limit(limit + 1L)
          .filter(Checks::isForbidden)
          .findFirst()
          .ifPresent(found -> {
            throw invalid("%s: must not contain the control character U+%04X", field, found);
          });
    }
    if (tooLong) throw invalid("%s: must have at most %d characters", field, limit);
  }

  private static boolean isForbidden(int c) {
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x2028 && c <= 0x202e)
        || (c >= 0x2066 && c <= 0x2069);
  }

  static void range(long value, long low, long high, String field) {
    if (value < low || value > high) {
      throw invalid("%s: must be %d to %d, is %d", field, low, high, value);
    }
  }

  static void place(boolean isThere, LatLng place, String field) {
    if (!isThere) throw invalid("%s: is missing", field);
    range(place.getLatE7(), -MAX_LAT_E7, MAX_LAT_E7, field + ".lat_e7");
    range(place.getLngE7(), -MAX_LNG_E7, MAX_LNG_E7, field + ".lng_e7");
  }

  /** Returns a place from degrees of latitude and longitude. */
  static LatLng place(double lat, double lng, String field) {
    if (!(Math.abs(lat) <= 1e3 && Math.abs(lng) <= 1e3)) {
      throw invalid("%s: must be degrees of latitude and longitude", field);
    }
    long latE7 = Math.round(lat * 1e7);
    long lngE7 = Math.round(lng * 1e7);
    range(latE7, -MAX_LAT_E7, MAX_LAT_E7, field + ".lat_e7");
    range(lngE7, -MAX_LNG_E7, MAX_LNG_E7, field + ".lng_e7");
    return LatLng.newBuilder().setLatE7((int) latE7).setLngE7((int) lngE7).build();
  }
}
