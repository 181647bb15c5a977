import assert from "node:assert/strict";
import { test } from "node:test";
import { checkId, checkRange, checkText, place } from "./checks.js";
import { InvalidArgument } from "./errors.js";

function refusal(check: () => unknown): string {
  try {
    check();
  } catch (error) {
    assert.ok(error instanceof InvalidArgument);
    return error.details;
  }
  return "";
}

test("ids that the service accepts are accepted", () => {
  for (const id of ["a", "A-b_c.d:9", "x".repeat(64)]) {
    assert.equal(
      refusal(() => checkId(id, "id")),
      "",
    );
  }
});

test("invalid ids get the service's message", () => {
  const sizes = { "": 0, "a b": 3, é: 2, ["x".repeat(65)]: 65, "a\n": 2 };
  for (const [id, size] of Object.entries(sizes)) {
    assert.equal(
      refusal(() => checkId(id, "trip_id")),
      `trip_id: must be 1 to 64 characters of [A-Za-z0-9._:-], has ${size} bytes`,
    );
  }
});

test("texts are counted in characters and get the service's message", () => {
  assert.equal(
    refusal(() => checkText("😀".repeat(8), 8, "note")),
    "",
  );
  const cases = {
    ["x".repeat(9)]: "note: must have at most 8 characters",
    "a\u0007": "note: must not contain the control character U+0007",
    "a\u202e": "note: must not contain the control character U+202E",
    "\ud800": "note: must be valid UTF-8",
    ["\u0007" + "x".repeat(40)]: "note: must have at most 8 characters",
  };
  for (const [text, expected] of Object.entries(cases)) {
    assert.equal(
      refusal(() => checkText(text, 8, "note")),
      expected,
    );
  }
});

test("numbers out of range and fractions are refused", () => {
  for (const value of [0, 9, 1.5, Number.NaN]) {
    assert.equal(
      refusal(() => checkRange(value, 1, 8, "hello.seats")),
      `hello.seats: must be 1 to 8, is ${value}`,
    );
  }
});

test("coordinates out of range are refused with the name of the field", () => {
  assert.equal(
    refusal(() => place(91, 0, "pickup")),
    "pickup.lat_e7: must be -900000000 to 900000000, is 910000000",
  );
  for (const lat of [Number.NaN, Number.POSITIVE_INFINITY, 1e300]) {
    assert.match(
      refusal(() => place(lat, 0)),
      /^place\.lat_e7: /,
    );
  }
  assert.equal(place(45, -30).lngE7, -300_000_000);
});
