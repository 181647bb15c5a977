import { useEffect } from "preact/hooks";
import type { LiveCity } from "../city/live_city.js";
import { clockText, toMs, type CityClock } from "../city/time.js";
import type { Drive } from "../driver/drive.js";
import type { Trip } from "../gen/ridestream/trip/v1/trip_pb.js";
import { tab, watchedDriver } from "../state/page.js";
import { mayDrive, ownDriver } from "../state/session.js";
import { CarSymbol, kCarStateNames } from "../widgets/car_symbol.js";
import { carName } from "../widgets/driver_link.js";
import { Name } from "../widgets/name.js";
import { StopList } from "../widgets/stop_list.js";
import { TripRow } from "../widgets/trip_row.js";
import { useEachSecond } from "../widgets/use_each_second.js";
import { PushList } from "./push_list.js";

interface CarPanelProps {
  readonly driverId: string;
  readonly city: LiveCity;
  readonly clock: CityClock;
  readonly drive: Drive;
}

/** A car: its state, its driver's plan, its passengers, and the messages that its driver received. */
export function CarPanel({ driverId, city, clock, drive }: CarPanelProps) {
  useEachSecond();
  useWatchedDriver(city, driverId);
  const known = watchedDriver.value?.driverId === driverId ? watchedDriver.value.answer : null;
  const trips = city.trips.ofDriver(driverId);
  const vehicle = known?.vehicle ?? trips[0]?.driver?.vehicle;
  return (
    <article class="car" aria-labelledby="car-title">
      <h2 id="car-title">
        <Name of={known?.name || trips[0]?.driver?.name} or={carName(driverId)} />
      </h2>
      {vehicle && (
        <p>
          <Name of={vehicle.model} />{" "}
          {vehicle.plate && (
            <span class="plate">
              <Name of={vehicle.plate} />
            </span>
          )}
        </p>
      )}
      <CarState driverId={driverId} city={city} />
      <h3>Plan</h3>
      {known?.plan && known.plan.stops.length > 0 ? (
        <StopList stops={known.plan.stops} />
      ) : (
        <p class="empty">No stops planned.</p>
      )}
      <h3>Passengers</h3>
      {trips.length === 0 && <p class="empty">None.</p>}
      <ul class="list">
        {trips.map((trip) => (
          <TripRow key={trip.tripId} trip={trip} aside={inStateText(trip, clock)} />
        ))}
      </ul>
      <h3>Messages to the driver</h3>
      {known && known.pushes.length > 0 ? (
        <PushList pushes={known.pushes} />
      ) : (
        <p class="empty">No messages yet.</p>
      )}
      <TakeOver driverId={driverId} city={city} drive={drive} seats={known?.seats ?? 4} />
    </article>
  );
}

/** Keeps `watchedDriver` current while the panel is open. */
function useWatchedDriver(city: LiveCity, driverId: string): void {
  useEffect(() => {
    const closed = new AbortController();
    void city.followDriver(driverId, closed.signal, (answer) => {
      watchedDriver.value = { driverId, answer };
    });
    return () => {
      closed.abort();
      watchedDriver.value = null;
    };
  }, [city, driverId]);
}

function CarState({ driverId, city }: Pick<CarPanelProps, "driverId" | "city">) {
  const slot = city.cars.slotOf(driverId);
  const car = slot === undefined ? undefined : city.cars.view(slot, performance.now() / 1000);
  if (!car) return <p class="state-line">Currently not on the map.</p>;
  return (
    <p class="state-line">
      <CarSymbol state={car.state} />
      <strong>{kCarStateNames[car.state] ?? "unknown"}</strong>
      <span>{car.freeSeats === 1 ? "1 free seat" : `${car.freeSeats} free seats`}</span>
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

/** Lets the user drive the car: a driver's newer session ends the older one. */
function TakeOver({ driverId, city, drive, seats }: TakeOverProps) {
  if (drive.state.value.carId === driverId) return <p class="note">This is your car.</p>;
  // A person who signed in drives no car but their own.
  if (!mayDrive() || ownDriver()) return null;
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
      Take over this car
    </button>
  );
}
