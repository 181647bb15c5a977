import { kCarStates } from "../city/area_feed.js";
import type { LiveCity } from "../city/live_city.js";
import { clockText, toMs, type CityClock } from "../city/time.js";
import { TripState, type Trip } from "../gen/ridestream/trip/v1/trip_pb.js";
import { figures } from "../state/figures.js";
import { demandPlaces, showDemand } from "../state/page.js";
import { CarSymbol, kCarStateNames } from "../widgets/car_symbol.js";
import { TripDot } from "../widgets/trip_dot.js";
import { TripRow } from "../widgets/trip_row.js";
import { useEachSecond } from "../widgets/use_each_second.js";
import "./city_panel.css";

const kShownWaiting = 6;
const kShownEnded = 8;

interface CityPanelProps {
  readonly city: LiveCity;
  readonly clock: CityClock;
}

/** The city at a glance: the legend, riders who wait, and trips that ended recently. */
export function CityPanel({ city, clock }: CityPanelProps) {
  useEachSecond();
  const now = clock.now();
  const waiting = [...city.trips.waiting()].sort((a, b) => since(a) - since(b));
  const ended = [...city.trips.ended.values()].slice(-kShownEnded).reverse();
  return (
    <>
      <p class="note intro">
        A live city: arrows are cars, dots are riders. Click a car or a rider for details, request a
        ride, or drive a car yourself.
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
        <h2 id="ended-title">Recently ended</h2>
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
            <CarSymbol state={state} />
            <span>{kCarStateNames[state]}</span>
            <strong>{(byState[state] ?? 0).toLocaleString("en")}</strong>
          </li>
        ))}
        <li>
          <TripDot state={TripState.REQUESTED} />
          <span>rider waiting for a driver</span>
          <strong>{waiting.toLocaleString("en")}</strong>
        </li>
        <li>
          <TripDot state={TripState.ASSIGNED} ring />
          <span>rider whose car is on the way</span>
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
        <p class="more">No unserved demand at the moment.</p>
      )}
    </section>
  );
}
