package org.ridestream.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChecksTest {
  private static final String ID_MESSAGE =
      "trip_id: must be 1 to 64 characters of [A-Za-z0-9._:-], has %d bytes";

  private static void assertRefused(String message, Executable check) {
    assertEquals(message, assertThrows(InvalidArgumentException.class, check).description());
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", "A-b_c.d:9"})
  void acceptsIdsThatTheServiceAccepts(String id) {
    Checks.id(id, "trip_id");
    Checks.id("x".repeat(64), "trip_id");
  }

  @Test
  void invalidIdsGetTheServicesMessage() {
    assertRefused(ID_MESSAGE.formatted(0), () -> Checks.id("", "trip_id"));
    assertRefused(ID_MESSAGE.formatted(3), () -> Checks.id("a b", "trip_id"));
    assertRefused(ID_MESSAGE.formatted(2), () -> Checks.id("é", "trip_id"));
    assertRefused(ID_MESSAGE.formatted(2), () -> Checks.id("a\n", "trip_id"));
    assertRefused(ID_MESSAGE.formatted(65), () -> Checks.id("x".repeat(65), "trip_id"));
  }

  @Test
  void textsAreCountedInCharacters() {
    Checks.text("é".repeat(8), 8, "note");
    Checks.text("\ud83d\ude95".repeat(8), 8, "note"); // Each taxi is two UTF-16 units.
    String message = "note: must have at most 8 characters";
    assertRefused(message, () -> Checks.text("x".repeat(9), 8, "note"));
    assertRefused(message,
        ()
            -> Checks.text("\u0007"
                    + "x".repeat(40),
                8, "note"));
  }

  @ParameterizedTest
  @CsvSource({"0007", "007F", "2028", "202E", "2066"})
  void controlCharactersGetTheServicesMessage(String hex) {
    String text = "a" + Character.toString(Integer.parseInt(hex, 16));
    String message = "note: must not contain the control character U+" + hex;
    assertRefused(message, () -> Checks.text(text, 8, "note"));
  }

  @Test
  void unpairedSurrogateIsRefused() {
    assertRefused("note: must be valid UTF-8", () -> Checks.text("\ud83d", 8, "note"));
  }

  @ParameterizedTest
  @ValueSource(doubles = {91, Double.NaN, Double.POSITIVE_INFINITY})
  void coordinatesOutOfRangeAreRefused(double lat) {
    assertThrows(InvalidArgumentException.class, () -> Places.of(lat, 0));
  }
}
