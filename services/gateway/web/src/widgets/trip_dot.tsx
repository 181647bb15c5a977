import { TripState } from "../gen/ridestream/trip/v1/trip_pb.js";
import "./trip_dot.css";

/** Undefined for the states of a newer service. */
const kStates: Readonly<Record<number, string | undefined>> = TripState;

/** The name of the class that colours an element by a trip's state. */
export function tripClass(state: TripState): string {
  return `trip-${(kStates[state] ?? "unknown").toLowerCase()}`;
}

/** A dot in the colour of a trip's state. A ring is a rider whose car is on the way. */
export function TripDot({ state, ring }: { readonly state: TripState; readonly ring?: boolean }) {
  return <span class={`dot ${ring ? "ring " : ""}${tripClass(state)}`} aria-hidden="true" />;
}
