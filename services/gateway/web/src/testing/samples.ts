import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  FollowTripsResponseSchema,
  TripSchema,
  TripState,
  type FollowTripsResponse,
  type Trip,
} from "../gen/ridestream/trip/v1/trip_pb.js";

/** The time when sample trips are requested. */
export const kRequestedMs = Date.UTC(2026, 0, 1, 12);

export interface SampleTrip {
  readonly id?: string;
  readonly state?: TripState;
  readonly version?: number;
  readonly driverId?: string;
  readonly party?: number;
}

/** A trip in the middle of the built-in city; it has a driver from ASSIGNED on. */
export function sampleTrip(sample: SampleTrip = {}): Trip {
  const { id = "t-1", state = TripState.REQUESTED, version = 1, driverId = "d-1" } = sample;
  const hasDriver = state >= TripState.ASSIGNED && state <= TripState.COMPLETED;
  const at = (seconds: number) => timestampFromMs(kRequestedMs + seconds * 1000);
  return create(TripSchema, {
    tripId: id,
    market: "city",
    state,
    version: BigInt(version),
    passenger: { riderId: "r-1", name: "Grace", partySize: sample.party ?? 2 },
    pickup: { latE7: 450_000_000, lngE7: -300_000_000 },
    dropoff: { latE7: 450_100_000, lngE7: -300_100_000 },
    fare: {
      tariff: { currencyCode: "USD", baseMinor: 250n },
      distancePartMinor: 700n,
      timePartMinor: 290n,
      total: { currencyCode: "USD", amountMinor: 1240n },
      lengthM: 4000,
      duration: { seconds: 500n },
    },
    ...(hasDriver && {
      driver: { driverId, name: "Ada", vehicle: { model: "Prius, silver", plate: "RS 1" } },
      assignedAt: at(30),
    }),
    requestedAt: at(0),
    ...(state >= TripState.COMPLETED && { endedAt: at(600) }),
  });
}

/** An entry of the log, `seconds` after the request. */
export function sampleEvent(
  sequence: number,
  previousState: TripState,
  trip: Trip,
  seconds = sequence,
): FollowTripsResponse {
  return create(FollowTripsResponseSchema, {
    message: {
      case: "event",
      value: {
        sequence: BigInt(sequence),
        at: timestampFromMs(kRequestedMs + seconds * 1000),
        previousState,
        trip,
      },
    },
  });
}

export function caughtUp(sequence: number): FollowTripsResponse {
  return create(FollowTripsResponseSchema, {
    message: { case: "caughtUp", value: { sequence: BigInt(sequence) } },
  });
}
