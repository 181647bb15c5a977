import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { StreetSchema } from "../gen/ridestream/market/v1/market_pb.js";
import { WatchAreaResponseSchema } from "../gen/ridestream/location/v1/location_pb.js";
import { AreaFeed } from "./area_feed.js";
import { Cars } from "./cars.js";
import { boundsOf, distanceM, fromLatLng, lngNear, middleOf, Plane } from "./projection.js";
import { toLatLng, widened, type LngLat } from "./projection.js";
import { decodeLine, StreetGuide, streetsToGeoJson } from "./streets.js";
import { CityClock, clockText, durationText } from "./time.js";

test("32-bit floats of the plane keep centimetres, also at the city's edge", () => {
  const plane = new Plane([-73.97, 40.75]);
  const place: LngLat = [-73.8123456, 40.9123456];
  const back = plane.lngLat(Math.fround(plane.x(place[0])), Math.fround(plane.y(place[1])));
  expect(distanceM(place, back)).toBeLessThan(0.02);
});

test("places survive the conversion to protos and back", () => {
  const place: LngLat = [-73.8123456, 40.9123456];
  expect(fromLatLng(toLatLng(place))).toEqual(place);
});

test.each([
  [179.99, 180, 179.99],
  [-179.99, 180, 180.01],
  [180.01, -180, -179.99],
  [539, 0, 179],
  [180, 0, 180],
  [-180, 0, -180],
])("longitude %d near %d is %d", (lng, around, near) => {
  expect(lngNear(lng, around)).toBeCloseTo(near, 9);
});

test("places beyond the 180th meridian reach the services as valid longitudes", () => {
  expect(toLatLng([180.01, -17])).toEqual({ latE7: -170_000_000, lngE7: -1_799_900_000 });
  expect(toLatLng([-180.01, -17]).lngE7).toBe(1_799_900_000);
});

test("a market across the 180th meridian has its middle inside", () => {
  const bounds = boundsOf(toLatLng([179.8, -17]), toLatLng([-179.9, -16]));
  expect(bounds.northEast[0]).toBeCloseTo(180.1, 9);
  expect(middleOf(bounds)[0]).toBeCloseTo(179.95, 9);
});

test("a margin never exceeds the earth", () => {
  const pole = widened({ southWest: [10, 89.9], northEast: [11, 90] }, 20_000);
  expect(pole).toMatchObject({ southWest: [-180, expect.any(Number)], northEast: [180, 90] });
  const earth = widened({ southWest: [-180, -90], northEast: [180, 90] }, 2_000);
  expect(earth).toEqual({ southWest: [-180, -90], northEast: [180, 90] });
});

test.each([
  [[180, 0] as LngLat],
  [[-179.95, -17] as LngLat],
  [[179.95, 68.4] as LngLat],
  [[15.6, 78.2] as LngLat],
  [[0, -84.9] as LngLat],
])("the plane is continuous, and keeps directions and lengths, around %j", (middle) => {
  const plane = new Plane(middle);
  const [lng, lat] = middle;
  const degree = 1 / (111_195 * Math.cos((lat * Math.PI) / 180));
  for (const eastM of [-2_000, -100, 100, 2_000]) {
    const place: LngLat = [lngNear(lng + eastM * degree, 0), lat + 0.01];
    const [x, y] = [plane.x(place[0]), plane.y(place[1])];
    expect(x / plane.unitsPerM).toBeCloseTo(eastM, -1);
    expect(-y / plane.unitsPerM / 1_112).toBeCloseTo(1, 1);
    expect(distanceM(plane.lngLat(Math.fround(x), Math.fround(y)), place)).toBeLessThan(0.02);
    expect(distanceM(middle, [place[0], lat])).toBeCloseTo(Math.abs(eastM), -1);
  }
});

test("latitudes beyond the end of Web Mercator stay finite", () => {
  const plane = new Plane([0, 90]);
  expect(plane.y(90)).toBe(0);
  expect(Number.isFinite(plane.y(-90))).toBe(true);
  expect(Number.isFinite(plane.unitsPerM)).toBe(true);
});

test.each([
  ["the short way", 200_000],
  ["wrapped to 32 bits", 200_000 - 3_600_000_000 + 2 ** 32],
])("a line across the 180th meridian is continuous: differences %s", (_, step) => {
  const line = decodeLine({ latE7: [-170_000_000, 0, 0], lngE7: [1_799_900_000, step, 10_000] });
  expect(line.map(([lng]) => Number(lng.toFixed(4)))).toEqual([179.99, 180.01, 180.011]);
});

test("a car that crosses the 180th meridian is driven across, not around the earth", () => {
  const plane = new Plane([180, -17]);
  const [feed, cars] = [new AreaFeed(plane), new Cars(plane.unitsPerM)];
  const report = (lng: number, now: number) => {
    const driver = { driverId: "a", position: toLatLng([lng, -17]), state: 1 };
    cars.apply(feed.take(create(WatchAreaResponseSchema, { drivers: [driver] })), now);
  };
  report(179.9995, 10);
  report(-179.9995, 11);
  const places = [11, 11.5, 20].map((now) => (cars.view(0, now)?.x ?? NaN) / plane.unitsPerM);
  expect(places[0]).toBeCloseTo(-53, 0);
  expect(Math.abs(places[1] ?? NaN)).toBeLessThan(40);
  expect(places[2]).toBeCloseTo(53, 0);
});

test.each([0, 60, 78])("a car is driven 400 m and moved 600 m at once, at latitude %d", (lat) => {
  const plane = new Plane([20, lat]);
  for (const [metres, isDriven] of [
    [400, true],
    [600, false],
  ] as const) {
    const [feed, cars] = [new AreaFeed(plane), new Cars(plane.unitsPerM)];
    [20, plane.lngLat(metres * plane.unitsPerM, 0)[0]].forEach((lng, i) => {
      const driver = { driverId: "a", position: toLatLng([lng, lat]), state: 1 };
      cars.apply(feed.take(create(WatchAreaResponseSchema, { drivers: [driver] })), 10 + i);
    });
    expect((cars.view(0, 11)?.x ?? NaN) < 1).toBe(isDriven);
  }
});

const kMain = create(StreetSchema, {
  name: "Main Street",
  latE7: [450_000_000, 10_000, 10_000],
  lngE7: [-300_000_000, 0, -5_000],
  speedKmh: 50,
});

test("decodes a line from its differences", () => {
  expect(decodeLine(kMain)).toEqual([
    [-30, 45],
    [-30, 45.001],
    [-30.0005, 45.002],
  ]);
  const [feature] = streetsToGeoJson([kMain]).features;
  expect(feature?.properties).toEqual({ name: "Main Street", class: 1 });
});

test("finds a street by name, in the middle of its longest line", () => {
  const short = create(StreetSchema, { ...kMain, latE7: [1, 1], lngE7: [1, 1] });
  const nameless = create(StreetSchema, { ...kMain, name: "" });
  const tenth = create(StreetSchema, { ...kMain, name: "10th Street" });
  const second = create(StreetSchema, { ...kMain, name: "2nd Street" });
  const { named } = new StreetGuide([short, kMain, nameless, tenth, second]);
  expect(named.map((street) => street.name)).toEqual(["2nd Street", "10th Street", "Main Street"]);
  expect(named[2]?.middle).toEqual([-30, 45.001]);
});

test("finds the nearest street and corner of a place", () => {
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
])("%d seconds on a clock are %s", (seconds, text) => {
  expect(clockText(seconds)).toBe(text);
});

test.each([
  [0, "0 s"],
  [42.9, "42 s"],
  [480, "8 min"],
  [1027, "17 min 7 s"],
  [3600, "60 min"],
])("%d seconds in a sentence are %s", (seconds, text) => {
  expect(durationText(seconds)).toBe(text);
});
