import type { LiveCity } from "../city/live_city.js";
import { kStateNames, moneyText, tellStory } from "../city/story.js";
import { clockText, timeOfDay, toMs, type CityClock } from "../city/time.js";
import { isOpen } from "../city/trips.js";
import { TripState, type Trip } from "../gen/ridestream/trip/v1/trip_pb.js";
import { second, selection } from "../ui/state.js";

interface TripPanelProps {
  readonly tripId: string;
  readonly city: LiveCity;
  readonly clock: CityClock;
}

/** A trip: how it stands, and its story as a timeline. */
export function TripPanel({ tripId, city, clock }: TripPanelProps) {
  second.value;
  const trip = city.trips.get(tripId) ?? city.history.find((each) => each.tripId === tripId);
  if (!trip) return <p class="empty">This trip is not among those that are remembered here.</p>;
  return (
    <article class="trip" aria-labelledby="trip-title">
      <h2 id="trip-title">{trip.passenger?.name || "A rider"}’s ride</h2>
      <p class={`state-line trip-${TripState[trip.state].toLowerCase()}`}>
        <span class={`dot trip-${TripState[trip.state].toLowerCase()}`} aria-hidden="true" />
        {kStateNames[trip.state]}
        {trip.state === TripState.REQUESTED && (
          <strong>{clockText((clock.now() - toMs(trip.requestedAt)) / 1000)}</strong>
        )}
      </p>
      <TripFacts trip={trip} />
      <Timeline trip={trip} city={city} clock={clock} />
    </article>
  );
}

export function TripFacts({ trip }: { readonly trip: Trip }) {
  const party = trip.passenger?.partySize ?? 1;
  return (
    <dl class="facts">
      <dt>Party</dt>
      <dd>{party === 1 ? "one rider" : `${party} riders`}</dd>
      <dt>Fare</dt>
      <dd>{moneyText(trip.fare?.total)}</dd>
      <dt>Way</dt>
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
          <dd>{trip.passenger.note}</dd>
        </>
      )}
      <dt>Id</dt>
      <dd class="id">{trip.tripId}</dd>
    </dl>
  );
}

export function DriverLink({
  driverId,
  name,
}: {
  readonly driverId: string;
  readonly name: string;
}) {
  const open = () => {
    selection.value = { kind: "car", driverId };
  };
  return (
    <button type="button" class="link" onClick={open}>
      {name || driverId}
    </button>
  );
}

function Timeline({ trip, city, clock }: { trip: Trip; city: LiveCity; clock: CityClock }) {
  const moments = tellStory(trip, city.trips.story(trip.tripId));
  const startMs = moments[0]?.atMs ?? 0;
  return (
    <ol class="timeline" aria-label="What happened">
      {moments.map((moment, i) => (
        <li key={i} class={`trip-${TripState[moment.state].toLowerCase()}`}>
          <time>{timeOfDay(moment.atMs)}</time>
          <span class="moment">
            <strong>{moment.title}</strong>
            {moment.detail && <span class="note">{moment.detail}</span>}
            {i > 0 && <span class="note">+{clockText((moment.atMs - startMs) / 1000)}</span>}
          </span>
        </li>
      ))}
      {isOpen(trip.state) && (
        <li class="now">
          <time>{timeOfDay(clock.now())}</time>
          <span class="moment note">{kStateNames[trip.state]} …</span>
        </li>
      )}
    </ol>
  );
}
