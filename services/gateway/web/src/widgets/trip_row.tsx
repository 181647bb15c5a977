import { stateName } from "../city/story.js";
import type { Trip } from "../gen/ridestream/trip/v1/trip_pb.js";
import { selection } from "../state/page.js";
import "./list.css";
import { Name } from "./name.js";
import { TripDot } from "./trip_dot.js";

/** A trip in a list: its rider, its state, and a duration at the side. A click selects the trip. */
export function TripRow({ trip, aside }: { readonly trip: Trip; readonly aside: string }) {
  const select = () => {
    selection.value = { kind: "trip", tripId: trip.tripId };
  };
  return (
    <li>
      <button type="button" class="row" onClick={select}>
        <TripDot state={trip.state} />
        <span class="row-title">
          <Name of={trip.passenger?.name} or="A rider" />
        </span>
        <span class="row-note">{stateName(trip.state)}</span>
        <span class="row-aside">{aside}</span>
      </button>
    </li>
  );
}
