import { clockText } from "../city/time.js";
import { StopKind, type Stop } from "../gen/ridestream/dispatch/v1/dispatch_pb.js";
import { TripState } from "../gen/ridestream/trip/v1/trip_pb.js";
import { selection, tab } from "../state/page.js";
import "./list.css";
import { Name } from "./name.js";
import { TripDot } from "./trip_dot.js";

/** A driver's stops, in the order of driving. A click selects the stop's trip. */
export function StopList({ stops }: { readonly stops: readonly Stop[] }) {
  const select = (tripId: string) => {
    selection.value = { kind: "trip", tripId };
    tab.value = "city";
  };
  return (
    <ol class="list" aria-label="Stops">
      {stops.map((stop) => {
        const isPickUp = stop.kind === StopKind.PICK_UP;
        const party = stop.passenger?.partySize ?? 1;
        return (
          <li key={`${stop.tripId}-${stop.kind}`}>
            <button type="button" class="row" onClick={() => select(stop.tripId)}>
              <TripDot state={isPickUp ? TripState.REQUESTED : TripState.COMPLETED} />
              <span class="row-title">
                {isPickUp ? "Pick up " : "Drop off "}
                <Name of={stop.passenger?.name} or="a rider" />
                {party > 1 && ` (${party})`}
              </span>
              <span class="row-note">
                {stop.arrived ? "the driver has arrived" : <Name of={stop.passenger?.note} />}
              </span>
              <span class="row-aside">{clockText(stop.etaS)}</span>
            </button>
          </li>
        );
      })}
    </ol>
  );
}
