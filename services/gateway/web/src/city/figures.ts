import type { GetOfferStatsResponse } from "../gen/ridestream/dispatch/v1/dispatch_pb.js";
import { TripState, type Trip } from "../gen/ridestream/trip/v1/trip_pb.js";
import { DriverState } from "../gen/ridestream/location/v1/location_pb.js";
import type { Cars } from "./cars.js";
import { quantile } from "./quantile.js";
import { durationMs, toMs } from "./time.js";
import type { Trips } from "./trips.js";

/** The city's figures at one moment. Durations are by the city's clock unless stated. */
export interface Figures {
  readonly cars: number;
  /** By DriverState. */
  readonly byState: readonly number[];
  readonly waiting: number;
  readonly longestWaitS: number;
  /** Trips whose driver is on the way to the pick-up or has arrived there. */
  readonly awaiting: number;
  /** Time from the request until a driver accepts, over the last assigned trips. */
  readonly matchP50S: number;
  readonly matchP99S: number;
  /** Trips since the page was opened. */
  readonly served: number;
  readonly unserved: number;
  /** Trips completed in the last minute by the city's clock. */
  readonly servedPerMinute: number;
  readonly aboard: number;
  readonly ridersPerCar: number;
  /** In real time, like the fields below. */
  readonly positionsPerS: number;
  /** Time from the decision to make an offer until its driver acknowledges it. */
  readonly offerP50Ms: number;
  readonly offerP99Ms: number;
}

export const kNoFigures: Figures = {
  cars: 0,
  byState: [],
  waiting: 0,
  longestWaitS: 0,
  awaiting: 0,
  matchP50S: 0,
  matchP99S: 0,
  served: 0,
  unserved: 0,
  servedPerMinute: 0,
  aboard: 0,
  ridersPerCar: 0,
  positionsPerS: 0,
  offerP50Ms: 0,
  offerP99Ms: 0,
};

const kMatchesKept = 300;

/** Counts events and computes the figures. */
export class FigureBook {
  private readonly matchWaits: number[] = [];
  private readonly servedAtMs: number[] = [];
  private served = 0;
  private unserved = 0;
  private positionsPerS = 0;
  private offerP50Ms = 0;
  private offerP99Ms = 0;
  private lastApplied: { count: number; atMs: number } | null = null;

  /** A trip has entered its state at `atMs` by the city's clock. */
  onTrip(trip: Trip, previous: TripState, atMs: number, isLive: boolean): void {
    if (trip.state === TripState.ASSIGNED && previous === TripState.REQUESTED) {
      this.matchWaits.push((toMs(trip.assignedAt) - toMs(trip.requestedAt)) / 1000);
      if (this.matchWaits.length > kMatchesKept) this.matchWaits.shift();
    }
    if (!isLive) return;
    if (trip.state === TripState.UNSERVED) this.unserved += 1;
    if (trip.state === TripState.COMPLETED) {
      this.served += 1;
      this.servedAtMs.push(atMs);
    }
  }

  /** `applied` is the number of positions since the index started; `wallMs` is performance.now(). */
  onIndexStats(applied: bigint, wallMs: number): void {
    const count = Number(applied);
    const last = this.lastApplied;
    this.lastApplied = { count, atMs: wallMs };
    // The count is smaller after a restart of the service.
    if (!last || count < last.count || wallMs <= last.atMs) return;
    this.positionsPerS = (1000 * (count - last.count)) / (wallMs - last.atMs);
  }

  onOfferStats(stats: GetOfferStatsResponse): void {
    this.offerP50Ms = durationMs(stats.p50);
    this.offerP99Ms = durationMs(stats.p99);
  }

  make(cars: Cars, trips: Trips, cityMs: number): Figures {
    while ((this.servedAtMs[0] ?? Infinity) < cityMs - 60_000) this.servedAtMs.shift();
    const byState = cars.countByState();
    const aboard = trips.ridersAboard();
    let waiting = 0;
    let oldestMs = cityMs;
    for (const trip of trips.waiting()) {
      waiting += 1;
      oldestMs = Math.min(oldestMs, toMs(trip.requestedAt));
    }
    return {
      cars: cars.size,
      byState,
      waiting,
      longestWaitS: (cityMs - oldestMs) / 1000,
      awaiting: trips.countAwaiting(),
      matchP50S: quantile(this.matchWaits, 0.5),
      matchP99S: quantile(this.matchWaits, 0.99),
      served: this.served,
      unserved: this.unserved,
      servedPerMinute: this.servedAtMs.length,
      aboard: aboard.riders,
      ridersPerCar: aboard.cars > 0 ? aboard.riders / aboard.cars : 0,
      positionsPerS: this.positionsPerS,
      offerP50Ms: this.offerP50Ms,
      offerP99Ms: this.offerP99Ms,
    };
  }
}

/** The share of cars that are on the way to a rider or carry riders, 0 to 1. */
export function utilization(byState: readonly number[]): number {
  const total = byState.reduce((sum, count) => sum + count, 0);
  const busy = (byState[DriverState.EN_ROUTE] ?? 0) + (byState[DriverState.OCCUPIED] ?? 0);
  return total > 0 ? busy / total : 0;
}
