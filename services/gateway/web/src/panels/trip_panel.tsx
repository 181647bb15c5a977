import type { LiveCity } from "../city/live_city.js";
import { stateName, moneyText, makeTimeline } from "../city/story.js";
import { clockText, timeOfDay, toMs, type CityClock } from "../city/time.js";
import { isOpen } from "../city/trips.js";
import { TripState, type Trip } from "../gen/ridestream/trip/v1/trip_pb.js";
import { DriverLink } from "../widgets/driver_link.js";
import "../widgets/facts.css";
import { Name } from "../widgets/name.js";
import { TraceFact } from "../widgets/trace_link.js";
import { TripDot, tripClass } from "../widgets/trip_dot.js";
import { useEachSecond } from "../widgets/use_each_second.js";
import "./trip_panel.css";

interface TripPanelProps {
  readonly tripId: string;
  readonly city: LiveCity;
  readonly clock: CityClock;
}

/** A trip: its state, its facts, and its timeline. */
export function TripPanel({ tripId, city, clock }: TripPanelProps) {
  useEachSecond();
  const trip = city.trips.get(tripId) ?? city.history.find((each) => each.tripId === tripId);
  if (!trip) return <p class="empty">This page has no record of this trip.</p>;
  return (
    <article class="trip" aria-labelledby="trip-title">
      <h2 id="trip-title">
        <Name of={trip.passenger?.name} or="A rider" />
        ’s ride
      </h2>
      <p class={`state-line ${tripClass(trip.state)}`}>
        <TripDot state={trip.state} />
        {stateName(trip.state)}
        {trip.state === TripState.REQUESTED && (
          <strong>{clockText((clock.now() - toMs(trip.requestedAt)) / 1000)}</strong>
        )}
      </p>
      <TripFacts trip={trip} />
      <Timeline trip={trip} city={city} clock={clock} />
    </article>
  );
}

function TripFacts({ trip }: { readonly trip: Trip }) {
  const party = trip.passenger?.partySize ?? 1;
  return (
    <dl class="facts">
      <dt>Party</dt>
      <dd>{party === 1 ? "1 rider" : `${party} riders`}</dd>
      <dt>Fare</dt>
      <dd>{moneyText(trip.fare?.total)}</dd>
      <dt>Route</dt>
      <dd>
        {((trip.fare?.lengthM ?? 0) / 1000).toFixed(1)} km,{" "}
        {clockText(Number(trip.fare?.duration?.seconds ?? 0))}
      </dd>
      {trip.driver && (
        <>
          <dt>Driver</dt>
          <dd>
            <DriverLink driverId={trip.driver.driverId} name={trip.driver.name} />
          </dd>
        </>
      )}
      {trip.passenger?.note && (
        <>
          <dt>Note</dt>
          <dd>
            <Name of={trip.passenger.note} />
          </dd>
        </>
      )}
      <dt>Trip ID</dt>
      <dd class="id">{trip.tripId}</dd>
      <TraceFact traceparent={trip.traceparent} />
    </dl>
  );
}

function Timeline({ trip, city, clock }: { trip: Trip; city: LiveCity; clock: CityClock }) {
  const moments = makeTimeline(trip, city.trips.story(trip.tripId));
  const startMs = moments[0]?.atMs ?? 0;
  return (
    <ol class="timeline" aria-label="Timeline">
      {moments.map((moment, i) => (
        <li key={i} class={tripClass(moment.state)}>
          <time>{timeOfDay(moment.atMs)}</time>
          <span class="moment">
            <strong>{moment.title}</strong>
            {moment.detail && (
              <span class="note">
                <Name of={moment.detail} />
              </span>
            )}
            {i > 0 && <span class="note">+{clockText((moment.atMs - startMs) / 1000)}</span>}
          </span>
        </li>
      ))}
      {isOpen(trip.state) && (
        <li class="now">
          <time>{timeOfDay(clock.now())}</time>
          <span class="moment note">{stateName(trip.state)} …</span>
        </li>
      )}
    </ol>
  );
}
