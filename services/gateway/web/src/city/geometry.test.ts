import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { StreetSchema } from "../gen/ridestream/market/v1/market_pb.js";
import { distanceM, fromLatLng, Plane, toLatLng, type LngLat } from "./projection.js";
import { decodeLine, StreetGuide, streetsToGeoJson } from "./streets.js";
import { CityClock, clockText, durationText } from "./time.js";

test("the plane is centimetres exact as 32-bit floats, also at the city's edge", () => {
  const plane = new Plane([-73.97, 40.75]);
  const place: LngLat = [-73.8123456, 40.9123456];
  const back = plane.lngLat(Math.fround(plane.x(place[0])), Math.fround(plane.y(place[1])));
  expect(distanceM(place, back)).toBeLessThan(0.02);
});

test("places go to the services and back", () => {
  const place: LngLat = [-73.8123456, 40.9123456];
  expect(fromLatLng(toLatLng(place))).toEqual(place);
});

const kMain = create(StreetSchema, {
  name: "Main Street",
  latE7: [450_000_000, 10_000, 10_000],
  lngE7: [-300_000_000, 0, -5_000],
  speedKmh: 50,
});

test("a line is decoded from its differences", () => {
  expect(decodeLine(kMain)).toEqual([
    [-30, 45],
    [-30, 45.001],
    [-30.0005, 45.002],
  ]);
  const [feature] = streetsToGeoJson([kMain]).features;
  expect(feature?.properties).toEqual({ name: "Main Street", class: 1 });
});

test("a street is found by its name in the middle of its longest line", () => {
  const short = create(StreetSchema, { ...kMain, latE7: [1, 1], lngE7: [1, 1] });
  const nameless = create(StreetSchema, { ...kMain, name: "" });
  const tenth = create(StreetSchema, { ...kMain, name: "10th Street" });
  const second = create(StreetSchema, { ...kMain, name: "2nd Street" });
  const { named } = new StreetGuide([short, kMain, nameless, tenth, second]);
  expect(named.map((street) => street.name)).toEqual(["2nd Street", "10th Street", "Main Street"]);
  expect(named[2]?.middle).toEqual([-30, 45.001]);
});

test("a place is known by the street that is nearest", () => {
  const far = create(StreetSchema, { ...kMain, name: "Far Street", latE7: [451_000_000, 1] });
  const guide = new StreetGuide([far, kMain]);
  expect(guide.streetAt([-30.001, 45.0012])).toBe("Main Street");
  expect(guide.cornerAt([-30.001, 45.0012])).toEqual([-30, 45.001]);
  expect(new StreetGuide([]).streetAt([-30, 45])).toBe("");
  expect(new StreetGuide([]).cornerAt([-30, 45])).toEqual([-30, 45]);
});

test("the city's clock runs at its own rate", () => {
  let wallMs = 1000;
  const clock = new CityClock(() => wallMs);
  clock.set(5_000_000, 10);
  wallMs += 500;
  expect(clock.now()).toBe(5_005_000);
  clock.atLeast(5_000_000);
  expect(clock.now()).toBe(5_005_000);
  clock.atLeast(5_007_000);
  wallMs += 100;
  expect(clock.now()).toBe(5_008_000);
});

test.each([
  [0, "0:00"],
  [42.9, "0:42"],
  [725, "12:05"],
  [3729, "1:02:09"],
  [-3, "0:00"],
])("%d seconds read %s", (seconds, text) => {
  expect(clockText(seconds)).toBe(text);
});

test.each([
  [0, "0 s"],
  [42.9, "42 s"],
  [480, "8 min"],
  [1027, "17 min 7 s"],
  [3600, "60 min"],
])("%d seconds are written in a sentence as %s", (seconds, text) => {
  expect(durationText(seconds)).toBe(text);
});
