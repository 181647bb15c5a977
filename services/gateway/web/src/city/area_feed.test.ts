import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { WatchAreaResponseSchema } from "../gen/ridestream/location/v1/location_pb.js";
import { AreaFeed } from "./area_feed.js";
import { Plane } from "./projection.js";

function frame(driverIds: string[], more: { snapshot?: boolean; goneDriverIds?: string[] } = {}) {
  const drivers = driverIds.map((driverId) => ({
    driverId,
    position: { latE7: 450_000_000, lngE7: -300_000_000 },
    headingDeg: 90,
    state: 4,
    freeSeats: 2,
  }));
  return create(WatchAreaResponseSchema, { drivers, ...more });
}

const makeFeed = () => new AreaFeed(new Plane([-30, 45]));

test("a driver keeps its slot from frame to frame", () => {
  const feed = makeFeed();
  const first = feed.take(frame(["a", "b"], { snapshot: true }));
  expect(first.joined.map((each) => each.driverId)).toEqual(["a", "b"]);
  const second = feed.take(frame(["b"]));
  expect(second.joined).toEqual([]);
  expect(second.slots[0]).toBe(first.slots[1]);
  expect([second.headings[0], second.states[0], second.freeSeats[0]]).toEqual([90, 4, 2]);
  expect(Math.abs(second.places[0] ?? 1)).toBeLessThan(1e-3);
});

test("a freed slot is reused in a later frame only", () => {
  const feed = makeFeed();
  feed.take(frame(["a"], { snapshot: true }));
  const change = feed.take(frame(["b"], { goneDriverIds: ["a"] }));
  expect([...change.left]).toEqual([0]);
  expect(change.slots[0]).toBe(1);
  expect(feed.take(frame(["c"])).slots[0]).toBe(0);
});

test("a snapshot removes absent drivers, and keeps the slots of the others", () => {
  const feed = makeFeed();
  feed.take(frame(["a", "b"], { snapshot: true }));
  const again = feed.take(frame(["b", "c"], { snapshot: true }));
  expect([...again.left]).toEqual([0]);
  expect([...again.slots]).toEqual([1, 2]);
});
