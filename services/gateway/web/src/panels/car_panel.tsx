import type { LiveCity } from "../city/live_city.js";
import { clockText, toMs, type CityClock } from "../city/time.js";
import type { Drive } from "../driver/drive.js";
import type { Trip } from "../gen/ridestream/trip/v1/trip_pb.js";
import { second, tab, watchedDriver } from "../ui/state.js";
import { kCarStateNames } from "./city_panel.js";
import { PushList, StopList } from "./plan_view.js";
import { TripRow } from "./trip_row.js";

interface CarPanelProps {
  readonly driverId: string;
  readonly city: LiveCity;
  readonly clock: CityClock;
  readonly drive: Drive;
}

/** A car: what it does, for whom, and what its driver was told. */
export function CarPanel({ driverId, city, clock, drive }: CarPanelProps) {
  second.value;
  const known = watchedDriver.value?.driverId === driverId ? watchedDriver.value.answer : null;
  const trips = city.trips.ofDriver(driverId);
  const name = known?.name || trips[0]?.driver?.name || driverId;
  const vehicle = known?.vehicle ?? trips[0]?.driver?.vehicle;
  return (
    <article class="car" aria-labelledby="car-title">
      <h2 id="car-title">{name}</h2>
      {vehicle && (
        <p>
          {vehicle.model} {vehicle.plate && <span class="plate">{vehicle.plate}</span>}
        </p>
      )}
      <CarState driverId={driverId} city={city} />
      <h3>Plan</h3>
      {known?.plan && known.plan.stops.length > 0 ? (
        <StopList stops={known.plan.stops} />
      ) : (
        <p class="empty">Nothing to do.</p>
      )}
      <h3>Passengers</h3>
      {trips.length === 0 && <p class="empty">None.</p>}
      <ul class="list">
        {trips.map((trip) => (
          <TripRow key={trip.tripId} trip={trip} aside={inStateText(trip, clock)} />
        ))}
      </ul>
      <h3>Pushed to the driver</h3>
      {known && known.pushes.length > 0 ? (
        <PushList pushes={known.pushes} />
      ) : (
        <p class="empty">Nothing yet.</p>
      )}
      <TakeOver driverId={driverId} city={city} drive={drive} seats={known?.seats ?? 4} />
    </article>
  );
}

function CarState({ driverId, city }: Pick<CarPanelProps, "driverId" | "city">) {
  const slot = city.cars.slotOf(driverId);
  const car = slot === undefined ? undefined : city.cars.view(slot, performance.now() / 1000);
  if (!car) return <p class="state-line">not on the map just now</p>;
  return (
    <p class="state-line">
      <svg class={`arrow state-${car.state}`} viewBox="-1 -1.1 2 2.1" aria-hidden="true">
        <path d="M0-1 .72.78 0 .42-.72.78Z" />
      </svg>
      <strong>{kCarStateNames[car.state] ?? "unknown"}</strong>
      <span>{car.freeSeats === 1 ? "one seat free" : `${car.freeSeats} seats free`}</span>
    </p>
  );
}

/** How long the trip has been in its state. */
function inStateText(trip: Trip, clock: CityClock): string {
  const sinceMs = toMs(trip.aboardAt) || toMs(trip.arrivedAt) || toMs(trip.assignedAt);
  return clockText((clock.now() - sinceMs) / 1000);
}

interface TakeOverProps {
  readonly driverId: string;
  readonly city: LiveCity;
  readonly drive: Drive;
  readonly seats: number;
}

/** A newer session of a driver ends the older one: so a car changes hands. */
function TakeOver({ driverId, city, drive, seats }: TakeOverProps) {
  if (drive.state.value.driverId === driverId) return <p class="note">This is your car.</p>;
  const take = () => {
    const nowMs = performance.now();
    const slot = city.cars.slotOf(driverId);
    const car = slot === undefined ? undefined : city.cars.view(slot, nowMs / 1000);
    if (!car) return;
    drive.start(driverId, city.plane.lngLat(car.x, car.y), seats || 4, nowMs);
    tab.value = "drive";
  };
  return (
    <button type="button" class="secondary wide" onClick={take}>
      Take this car over
    </button>
  );
}
