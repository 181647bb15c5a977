import {
  CancelReason,
  ReleaseReason,
  TripChange,
  TripState,
  type Trip,
} from "../gen/ridestream/trip/v1/trip_pb.js";
import { toMs } from "./time.js";
import type { StoryEntry } from "./trips.js";

/** An entry of a trip's timeline. */
export interface Moment {
  readonly atMs: number;
  readonly title: string;
  readonly detail: string;
  readonly state: TripState;
}

// A newer service may send values that these tables lack.

const kStateNames: Readonly<Partial<Record<TripState, string>>> = {
  [TripState.REQUESTED]: "waiting for a driver",
  [TripState.ASSIGNED]: "driver on the way",
  [TripState.ARRIVED]: "driver at the pick-up",
  [TripState.ABOARD]: "aboard",
  [TripState.COMPLETED]: "completed",
  [TripState.CANCELLED]: "cancelled",
  [TripState.UNSERVED]: "no driver found",
};

export function stateName(state: TripState): string {
  return kStateNames[state] ?? "unknown";
}

const kCancelReasons: Readonly<Partial<Record<CancelReason, string>>> = {
  [CancelReason.CHANGED_MIND]: "changed their mind",
  [CancelReason.WAIT_TOO_LONG]: "waited too long",
  [CancelReason.DRIVER_NOT_MOVING]: "the driver did not move",
  [CancelReason.WRONG_PLACE]: "wrong place",
  [CancelReason.OTHER]: "other reason",
  [CancelReason.NO_SHOW]: "the rider did not come",
  [CancelReason.DRIVER_LOST]: "contact with the driver was lost",
};

const kReleases: Readonly<Partial<Record<ReleaseReason, string>>> = {
  [ReleaseReason.DRIVER_LOST]: "Driver lost",
  [ReleaseReason.DRIVER_GAVE_UP]: "Driver gave up the trip",
};

/** The events of a trip, oldest first: from the log if the page has followed the trip since its
 * request, else from the times that the trip itself keeps. */
export function makeTimeline(trip: Trip, entries: readonly StoryEntry[]): Moment[] {
  const hasWholeLog = entries[0]?.previous === TripState.UNSPECIFIED;
  return hasWholeLog ? fromLog(trip, entries) : fromTrip(trip);
}

function fromLog(trip: Trip, entries: readonly StoryEntry[]): Moment[] {
  return entries.map((entry) => {
    const { atMs, state } = entry;
    if (entry.previous === state) return { atMs, state, ...changeOf(entry) };
    if (state === TripState.REQUESTED && entry.previous !== TripState.UNSPECIFIED) {
      const title = kReleases[entry.releaseReason] ?? "Driver released";
      return { atMs, state, title, detail: "searching for another driver" };
    }
    return { atMs, state, title: titleOf(state), detail: detailOf(trip, state, entry.driverName) };
  });
}

/** Describes an event that left the trip in its state. */
function changeOf(entry: StoryEntry): { readonly title: string; readonly detail: string } {
  switch (entry.change) {
    case TripChange.DRIVER:
      return { title: "Another driver", detail: entry.driverName };
    case TripChange.DRIVER_LOST:
      return { title: "Driver lost", detail: "the rider may leave" };
    case TripChange.DRIVER_HEARD:
      return { title: "Driver heard again", detail: "" };
    default:
      return { title: "Destination changed", detail: "the fare was recalculated" };
  }
}

function fromTrip(trip: Trip): Moment[] {
  const { ASSIGNED, ARRIVED, ABOARD, REQUESTED } = TripState;
  const moments: Moment[] = [];
  const add = (state: TripState, atMs: number) => {
    if (atMs === 0) return;
    const detail = detailOf(trip, state, trip.driver?.name ?? "");
    moments.push({ atMs, state, title: titleOf(state), detail });
  };
  add(REQUESTED, toMs(trip.requestedAt));
  add(ASSIGNED, toMs(trip.assignedAt));
  add(ARRIVED, toMs(trip.arrivedAt));
  add(ABOARD, toMs(trip.aboardAt));
  add(trip.state, toMs(trip.endedAt));
  return moments;
}

function titleOf(state: TripState): string {
  switch (state) {
    case TripState.REQUESTED:
      return "Requested";
    case TripState.ASSIGNED:
      return "Driver assigned";
    case TripState.ARRIVED:
      return "Driver arrived";
    case TripState.ABOARD:
      return "Picked up";
    case TripState.COMPLETED:
      return "Completed";
    case TripState.CANCELLED:
      return "Cancelled";
    default:
      return "No driver found";
  }
}

function detailOf(trip: Trip, state: TripState, driverName: string): string {
  switch (state) {
    case TripState.REQUESTED: {
      const party = trip.passenger?.partySize ?? 1;
      return party === 1 ? "1 rider" : `a party of ${party}`;
    }
    case TripState.ASSIGNED:
      return [driverName, trip.driver?.vehicle?.model].filter(Boolean).join(", ");
    case TripState.COMPLETED:
      return moneyText(trip.fare?.total);
    case TripState.CANCELLED:
      return [
        kCancelReasons[trip.cancellation?.reason ?? CancelReason.UNSPECIFIED],
        trip.cancellation?.comment,
      ]
        .filter(Boolean)
        .join(": ");
    default:
      return "";
  }
}

/** An amount with its currency, such as "$12.40". */
export function moneyText(
  money: { currencyCode: string; amountMinor: bigint } | undefined,
): string {
  if (!money) return "";
  const format = new Intl.NumberFormat("en", { style: "currency", currency: money.currencyCode });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(Number(money.amountMinor) / 10 ** digits);
}
