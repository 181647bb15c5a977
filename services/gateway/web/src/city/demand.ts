import { CancelReason, TripState, type Trip } from "../gen/ridestream/trip/v1/trip_pb.js";
import { fromLatLng } from "./projection.js";
import { toMs } from "./time.js";

/** Unserved demand fades out within this time by the city's clock. */
export const kDemandWindowMs = 30 * 60_000;
/** A waiting rider has the full weight after this time. */
const kPatienceMs = 5 * 60_000;

/** The weight of a trip as evidence that a car was missing at its pick-up, 0 to 1. */
export function unservedWeight(trip: Trip, cityMs: number): number {
  const ageMs = cityMs - (toMs(trip.endedAt) || cityMs);
  const fresh = Math.max(0, 1 - ageMs / kDemandWindowMs);
  switch (trip.state) {
    case TripState.UNSERVED:
      return fresh;
    case TripState.CANCELLED:
      return trip.cancellation?.reason === CancelReason.WAIT_TOO_LONG ? 0.8 * fresh : 0;
    case TripState.REQUESTED:
      return 0.6 * Math.min(1, (cityMs - toMs(trip.requestedAt)) / kPatienceMs);
    default:
      return 0;
  }
}

export function demandToGeoJson(trips: Iterable<Trip>, cityMs: number): GeoJSON.FeatureCollection {
  const features: GeoJSON.Feature[] = [];
  for (const trip of trips) {
    const weight = unservedWeight(trip, cityMs);
    if (weight < 0.02 || !trip.pickup) continue;
    features.push({
      type: "Feature",
      properties: { weight },
      geometry: { type: "Point", coordinates: fromLatLng(trip.pickup) },
    });
  }
  return { type: "FeatureCollection", features };
}
