import { create } from "@bufbuild/protobuf";
import { expect, test, vi } from "vitest";
import {
  ReleaseReason,
  ReleaseSchema,
  TripState,
  type Trip,
} from "../gen/ridestream/trip/v1/trip_pb.js";
import { caughtUp, sampleEvent, sampleTrip } from "../testing/samples.js";
import { makeTimeline } from "./story.js";
import { Trips } from "./trips.js";

const { UNSPECIFIED, REQUESTED, ASSIGNED, ABOARD, COMPLETED } = TripState;

/** A trip that waits again, because its driver lost it for this reason. */
function released(reason: ReleaseReason): Trip {
  const trip = sampleTrip({ state: REQUESTED });
  trip.lastRelease = create(ReleaseSchema, { driverId: "d-1", reason });
  return trip;
}

test("a trip is open until it ends, and is found by its driver", () => {
  const trips = new Trips();
  trips.apply(sampleEvent(1, UNSPECIFIED, sampleTrip()));
  expect([...trips.waiting()].map((trip) => trip.tripId)).toEqual(["t-1"]);
  trips.apply(sampleEvent(2, REQUESTED, sampleTrip({ state: ASSIGNED })));
  expect([...trips.waiting()]).toEqual([]);
  expect(trips.ofDriver("d-1").map((trip) => trip.tripId)).toEqual(["t-1"]);
  trips.apply(sampleEvent(3, ABOARD, sampleTrip({ state: COMPLETED })));
  expect(trips.ofDriver("d-1")).toEqual([]);
  expect(trips.open.size).toBe(0);
  expect(trips.get("t-1")?.state).toBe(COMPLETED);
});

test("a trip is no longer found by a driver who lost it", () => {
  const trips = new Trips();
  trips.apply(sampleEvent(1, REQUESTED, sampleTrip({ state: ASSIGNED, driverId: "d-1" })));
  trips.apply(sampleEvent(2, ASSIGNED, sampleTrip({ state: REQUESTED })));
  trips.apply(sampleEvent(3, REQUESTED, sampleTrip({ state: ASSIGNED, driverId: "d-2" })));
  expect(trips.ofDriver("d-1")).toEqual([]);
  expect(trips.ofDriver("d-2")).toHaveLength(1);
});

test("repeated events change nothing, and events before the end of the history are not live", () => {
  const onEvent = vi.fn();
  const trips = new Trips(onEvent);
  const first = sampleEvent(1, UNSPECIFIED, sampleTrip());
  trips.apply(first);
  trips.apply(first);
  trips.apply(caughtUp(1));
  trips.apply(sampleEvent(2, REQUESTED, sampleTrip({ state: ASSIGNED })));
  expect(onEvent.mock.calls.map((call) => call[2] as boolean)).toEqual([false, true]);
  expect(trips.story("t-1")).toHaveLength(2);
});

test("counts the members of each party and each car once", () => {
  const trips = new Trips();
  trips.apply(sampleEvent(1, ASSIGNED, sampleTrip({ id: "a", state: ABOARD, party: 2 })));
  trips.apply(sampleEvent(2, ASSIGNED, sampleTrip({ id: "b", state: ABOARD, party: 1 })));
  expect(trips.ridersAboard()).toEqual({ riders: 3, cars: 1 });
});

test("drops the trips that ended first", () => {
  const trips = new Trips();
  for (let i = 1; i <= 3_001; ++i) {
    trips.apply(sampleEvent(i, ABOARD, sampleTrip({ id: `t-${i}`, state: COMPLETED })));
  }
  expect(trips.ended.size).toBe(3_000);
  expect(trips.get("t-1")).toBeUndefined();
  expect(trips.story("t-1")).toEqual([]);
});

test("a timeline comes from the log, with released drivers and changed destinations", () => {
  const trips = new Trips();
  trips.apply(sampleEvent(1, UNSPECIFIED, sampleTrip()));
  trips.apply(sampleEvent(2, REQUESTED, sampleTrip({ state: ASSIGNED })));
  trips.apply(sampleEvent(3, ASSIGNED, sampleTrip({ state: ASSIGNED })));
  trips.apply(sampleEvent(4, ASSIGNED, released(ReleaseReason.DRIVER_LOST)));
  trips.apply(sampleEvent(5, REQUESTED, sampleTrip({ state: ASSIGNED })));
  trips.apply(sampleEvent(6, ASSIGNED, released(ReleaseReason.DRIVER_GAVE_UP)));
  const trip = sampleTrip();
  expect(makeTimeline(trip, trips.story("t-1")).map((moment) => moment.title)).toEqual([
    "Requested",
    "Driver assigned",
    "Destination changed",
    "Driver lost",
    "Driver assigned",
    "Driver gave up the trip",
  ]);
});

test("a timeline comes from the trip when the page has missed its request", () => {
  const trip = sampleTrip({ state: COMPLETED });
  const moments = makeTimeline(trip, []);
  expect(moments.map((moment) => moment.title)).toEqual([
    "Requested",
    "Driver assigned",
    "Completed",
  ]);
  expect(moments.at(-1)?.detail).toBe("$12.40");
});
