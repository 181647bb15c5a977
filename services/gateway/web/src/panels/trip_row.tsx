import { kStateNames } from "../city/story.js";
import { TripState, type Trip } from "../gen/ridestream/trip/v1/trip_pb.js";
import { selection } from "../ui/state.js";

/** A trip in a list: its rider, its state, and a word at the side. A click selects it. */
export function TripRow({ trip, aside }: { readonly trip: Trip; readonly aside: string }) {
  const open = () => {
    selection.value = { kind: "trip", tripId: trip.tripId };
  };
  return (
    <li>
      <button type="button" class="row" onClick={open}>
        <span class={`dot trip-${TripState[trip.state].toLowerCase()}`} aria-hidden="true" />
        <span class="row-title">{trip.passenger?.name || "A rider"}</span>
        <span class="row-note">{kStateNames[trip.state]}</span>
        <span class="row-aside">{aside}</span>
      </button>
    </li>
  );
}
