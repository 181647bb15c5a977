import { kCarStates } from "../city/area_feed.js";
import type { LiveCity } from "../city/live_city.js";
import { clockText, toMs, type CityClock } from "../city/time.js";
import { DriverState } from "../gen/ridestream/location/v1/location_pb.js";
import type { Trip } from "../gen/ridestream/trip/v1/trip_pb.js";
import { demandPlaces, figures, second, showDemand } from "../ui/state.js";
import { TripRow } from "./trip_row.js";

export const kCarStateNames: Readonly<Record<number, string>> = {
  [DriverState.IDLE]: "free",
  [DriverState.OFFERED]: "has an offer",
  [DriverState.EN_ROUTE]: "on the way to a rider",
  [DriverState.OCCUPIED]: "with riders aboard",
};

const kShownWaiting = 6;
const kShownEnded = 8;

interface CityPanelProps {
  readonly city: LiveCity;
  readonly clock: CityClock;
}

/** What is going on in the city: what the colours mean, who waits, what has just ended. */
export function CityPanel({ city, clock }: CityPanelProps) {
  second.value;
  const now = clock.now();
  const waiting = [...city.trips.waiting()].sort((a, b) => since(a) - since(b));
  const ended = [...city.trips.ended.values()].slice(-kShownEnded).reverse();
  return (
    <>
      <p class="note intro">
        A city, live: arrows are cars, dots are riders. Click one for its story, or take part: ask
        for a ride, or take the wheel.
      </p>
      <Legend />
      <section aria-labelledby="waiting-title">
        <h2 id="waiting-title">Waiting for a driver</h2>
        {waiting.length === 0 && <p class="empty">Nobody is waiting.</p>}
        <ul class="list">
          {waiting.slice(0, kShownWaiting).map((trip) => (
            <TripRow key={trip.tripId} trip={trip} aside={clockText((now - since(trip)) / 1000)} />
          ))}
        </ul>
        {waiting.length > kShownWaiting && (
          <p class="more">and {waiting.length - kShownWaiting} more on the map</p>
        )}
      </section>
      <section aria-labelledby="ended-title">
        <h2 id="ended-title">Just ended</h2>
        {ended.length === 0 && <p class="empty">No ride has ended since you opened this page.</p>}
        <ul class="list">
          {ended.map((trip) => (
            <TripRow
              key={trip.tripId}
              trip={trip}
              aside={`${clockText((now - toMs(trip.endedAt)) / 1000)} ago`}
            />
          ))}
        </ul>
      </section>
    </>
  );
}

function since(trip: Trip): number {
  return toMs(trip.requestedAt);
}

function Legend() {
  const { byState, waiting, awaiting } = figures.value;
  return (
    <section class="legend" aria-label="What the colours mean">
      <ul>
        {kCarStates.map((state) => (
          <li key={state}>
            <svg class={`arrow state-${state}`} viewBox="-1 -1.1 2 2.1" aria-hidden="true">
              <path d="M0-1 .72.78 0 .42-.72.78Z" />
              {state === DriverState.OCCUPIED && <circle r="0.26" cy="0.06" fill="#fff" />}
            </svg>
            <span>{kCarStateNames[state]}</span>
            <strong>{(byState[state] ?? 0).toLocaleString("en")}</strong>
          </li>
        ))}
        <li>
          <span class="dot trip-requested" aria-hidden="true" />
          <span>rider who waits</span>
          <strong>{waiting.toLocaleString("en")}</strong>
        </li>
        <li>
          <span class="dot ring trip-assigned" aria-hidden="true" />
          <span>rider whose car is coming</span>
          <strong>{awaiting.toLocaleString("en")}</strong>
        </li>
      </ul>
      <label class="switch">
        <input
          type="checkbox"
          checked={showDemand.value}
          onChange={(event) => {
            showDemand.value = event.currentTarget.checked;
          }}
        />
        <span>Unserved demand</span>
      </label>
      {showDemand.value && demandPlaces.value === 0 && (
        <p class="more">Nobody goes unserved just now.</p>
      )}
    </section>
  );
}
