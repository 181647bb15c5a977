import {
  ReleaseReason,
  TripState,
  type TripChange,
  type FollowTripsResponse,
  type Trip,
  type TripEvent,
} from "../gen/ridestream/trip/v1/trip_pb.js";
import { toMs } from "./time.js";

/** An event of a trip. */
export interface StoryEntry {
  readonly sequence: bigint;
  readonly atMs: number;
  readonly previous: TripState;
  readonly state: TripState;
  readonly change: TripChange;
  /** Why the trip lost its latest driver. */
  readonly releaseReason: ReleaseReason;
  readonly driverName: string;
  readonly driverId: string;
}

/** An event that flashes on the map where it happened. */
export interface TripFlash {
  readonly kind: "boarded" | "served" | "unserved" | "cancelled";
  readonly trip: Trip;
}

/** Bound of the ended trips that are kept for their timelines. The oldest is dropped. */
const kMaxEnded = 3_000;

export function isOpen(state: TripState): boolean {
  return state >= TripState.REQUESTED && state <= TripState.ABOARD;
}

/** A market's trips, by its log: all open trips, and those that ended recently. */
export class Trips {
  /** Open trips by id, oldest first. */
  readonly open = new Map<string, Trip>();
  /** Ended trips by id, oldest first. */
  readonly ended = new Map<string, Trip>();
  /** Grows with each event. */
  version = 0;
  lastSequence = 0n;
  /** Whether all events from before the log was opened have been read. Later events are live. */
  caughtUp = false;
  private readonly stories = new Map<string, StoryEntry[]>();
  private readonly byDriver = new Map<string, Set<string>>();

  constructor(
    private readonly onEvent: (event: TripEvent, trip: Trip, isLive: boolean) => void = () => {},
  ) {}

  apply(message: FollowTripsResponse): void {
    if (message.message.case === "caughtUp") {
      this.caughtUp = true;
      this.version += 1;
      return;
    }
    if (message.message.case !== "event") return;
    const event = message.message.value;
    const { trip } = event;
    // The log delivers events at least once.
    if (!trip || event.sequence <= this.lastSequence) return;
    this.lastSequence = event.sequence;
    this.version += 1;
    this.forgetDriver(trip.tripId);
    if (isOpen(trip.state)) {
      this.open.set(trip.tripId, trip);
      if (trip.driver) this.tripsOf(trip.driver.driverId).add(trip.tripId);
    } else {
      this.open.delete(trip.tripId);
      this.ended.set(trip.tripId, trip);
      this.dropOldest();
    }
    this.addToStory(event, trip);
    this.onEvent(event, trip, this.caughtUp);
  }

  get(tripId: string): Trip | undefined {
    return this.open.get(tripId) ?? this.ended.get(tripId);
  }

  story(tripId: string): readonly StoryEntry[] {
    return this.stories.get(tripId) ?? [];
  }

  *waiting(): Generator<Trip> {
    for (const trip of this.open.values()) if (trip.state === TripState.REQUESTED) yield trip;
  }

  /** The number of open trips with a driver who has not picked up the rider yet. */
  countAwaiting(): number {
    let count = 0;
    for (const { state } of this.open.values()) {
      if (state === TripState.ASSIGNED || state === TripState.ARRIVED) count += 1;
    }
    return count;
  }

  /** The open trips of a driver. */
  ofDriver(driverId: string): Trip[] {
    return [...(this.byDriver.get(driverId) ?? [])].flatMap((id) => this.open.get(id) ?? []);
  }

  /** The number of riders aboard, and of the cars that carry them. */
  ridersAboard(): { riders: number; cars: number } {
    const cars = new Set<string>();
    let riders = 0;
    for (const trip of this.open.values()) {
      if (trip.state !== TripState.ABOARD) continue;
      riders += trip.passenger?.partySize ?? 0;
      if (trip.driver) cars.add(trip.driver.driverId);
    }
    return { riders, cars: cars.size };
  }

  /** Forgets everything, because the service has a different log. */
  clear(): void {
    this.open.clear();
    this.ended.clear();
    this.stories.clear();
    this.byDriver.clear();
    this.lastSequence = 0n;
    this.caughtUp = false;
    this.version += 1;
  }

  private addToStory(event: TripEvent, trip: Trip): void {
    const story = this.stories.get(trip.tripId) ?? [];
    story.push({
      sequence: event.sequence,
      atMs: toMs(event.at),
      previous: event.previousState,
      state: trip.state,
      change: event.change,
      releaseReason: trip.lastRelease?.reason ?? ReleaseReason.UNSPECIFIED,
      driverName: trip.driver?.name ?? "",
      driverId: trip.driver?.driverId ?? "",
    });
    this.stories.set(trip.tripId, story);
  }

  private tripsOf(driverId: string): Set<string> {
    const trips = this.byDriver.get(driverId) ?? new Set();
    this.byDriver.set(driverId, trips);
    return trips;
  }

  private forgetDriver(tripId: string): void {
    const driverId = this.open.get(tripId)?.driver?.driverId;
    if (!driverId) return;
    const trips = this.byDriver.get(driverId);
    trips?.delete(tripId);
    if (trips?.size === 0) this.byDriver.delete(driverId);
  }

  private dropOldest(): void {
    for (const id of this.ended.keys()) {
      if (this.ended.size <= kMaxEnded) return;
      this.ended.delete(id);
      this.stories.delete(id);
    }
  }
}
