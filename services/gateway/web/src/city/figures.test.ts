import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { GetOfferStatsResponseSchema } from "../gen/ridestream/dispatch/v1/dispatch_pb.js";
import { TripState } from "../gen/ridestream/trip/v1/trip_pb.js";
import { kRequestedMs, sampleTrip } from "../testing/samples.js";
import { Cars } from "./cars.js";
import { FigureBook } from "./figures.js";
import { Trips } from "./trips.js";

const kNoTrips = new Trips(() => undefined);
const figuresOf = (book: FigureBook, cityMs = kRequestedMs) =>
  book.make(new Cars(), kNoTrips, cityMs);

test("offer times are in milliseconds, and 0 before the first offer", () => {
  const book = new FigureBook();
  book.onOfferStats(create(GetOfferStatsResponseSchema, {}));
  expect(figuresOf(book)).toMatchObject({ offerP50Ms: 0, offerP99Ms: 0 });
  const p50 = { seconds: 0n, nanos: 350_000 };
  const p99 = { seconds: 1n, nanos: 20_000_000 };
  book.onOfferStats(create(GetOfferStatsResponseSchema, { acked: 7n, p50, p99 }));
  expect(figuresOf(book)).toMatchObject({ offerP50Ms: 0.35, offerP99Ms: 1020 });
});

test("counts positions per second, also across a restart of the service", () => {
  const book = new FigureBook();
  book.onIndexStats(1_000n, 0);
  book.onIndexStats(3_000n, 2_000);
  expect(figuresOf(book).positionsPerS).toBe(1_000);
  book.onIndexStats(5n, 3_000);
  expect(figuresOf(book).positionsPerS).toBe(1_000);
  book.onIndexStats(505n, 4_000);
  expect(figuresOf(book).positionsPerS).toBe(500);
});

test("counts live completed trips, in total and in the last minute", () => {
  const book = new FigureBook();
  const served = sampleTrip({ state: TripState.COMPLETED });
  book.onTrip(served, TripState.ABOARD, kRequestedMs, /*isLive=*/ false);
  book.onTrip(served, TripState.ABOARD, kRequestedMs, true);
  book.onTrip(served, TripState.ABOARD, kRequestedMs + 50_000, true);
  expect(figuresOf(book, kRequestedMs + 50_000)).toMatchObject({ served: 2, servedPerMinute: 2 });
  expect(figuresOf(book, kRequestedMs + 70_000)).toMatchObject({ served: 2, servedPerMinute: 1 });
});
