import { TripState } from "../gen/ridestream/trip/v1/trip_pb.js";
import type { LiveCity } from "../city/live_city.js";
import type { CityClock } from "../city/time.js";
import { toMs } from "../city/time.js";
import type { Camera } from "./gl.js";
import type { Link } from "./link_program.js";
import type { LiveCanvas, LiveScene } from "./live_canvas.js";
import type { Palette } from "./palette.js";
import { kFlashS, PinKind, type Pin } from "./pin_program.js";

export interface SceneSources {
  readonly camera: () => Camera;
  readonly palette: () => Palette;
  readonly selectedDriver: () => string | null;
}

/** The city as LiveCanvas draws it: its cars, waiting riders, and lines from cars to their riders. */
export class CityScene implements LiveScene {
  readonly cars;
  private drawn = { trips: -1, cars: -1, flashes: 0 };

  constructor(
    private readonly city: LiveCity,
    private readonly clock: CityClock,
    private readonly sources: SceneSources,
  ) {
    this.cars = city.cars;
  }

  camera(): Camera {
    return this.sources.camera();
  }

  palette(): Palette {
    return this.sources.palette();
  }

  clockRate(): number {
    return this.clock.rate;
  }

  selected(): number {
    const driverId = this.sources.selectedDriver();
    return (driverId === null ? undefined : this.cars.slotOf(driverId)) ?? -1;
  }

  beforeFrame(canvas: LiveCanvas, now: number): void {
    const { city, drawn } = this;
    const flashes = city.flashes.filter(({ since }) => now - since < kFlashS);
    city.flashes = flashes;
    const tripsChanged = drawn.trips !== city.trips.version;
    const carsChanged = drawn.cars !== city.cars.version;
    if (tripsChanged || flashes.length !== drawn.flashes) canvas.setPins(this.pins(now));
    if (tripsChanged || carsChanged) canvas.setLinks(this.links());
    this.drawn = {
      trips: city.trips.version,
      cars: city.cars.version,
      flashes: flashes.length,
    };
  }

  /** The trip with the pick-up nearest to a place, among riders not yet picked up. */
  nearestRider(x: number, y: number, within: number): string | undefined {
    let best: string | undefined;
    let bestDistance = within;
    for (const trip of this.city.trips.open.values()) {
      if (trip.state === TripState.ABOARD || !trip.pickup) continue;
      const [pinX, pinY] = this.onPlane(trip.pickup);
      const distance = Math.hypot(pinX - x, pinY - y);
      if (distance > bestDistance) continue;
      best = trip.tripId;
      bestDistance = distance;
    }
    return best;
  }

  private pins(now: number): Pin[] {
    const cityMs = this.clock.now();
    const awaited: Pin[] = [];
    const waiting: Pin[] = [];
    for (const trip of this.city.trips.open.values()) {
      if (!trip.pickup) continue;
      const [x, y] = this.onPlane(trip.pickup);
      if (trip.state === TripState.REQUESTED) {
        const waitedS = (cityMs - toMs(trip.requestedAt)) / 1000 / this.clock.rate;
        waiting.push({ x, y, since: now - waitedS, kind: PinKind.waiting });
      } else if (trip.state !== TripState.ABOARD) {
        awaited.push({ x, y, since: now, kind: PinKind.awaited });
      }
    }
    const flashes = this.city.flashes.flatMap(({ flash, since }): Pin[] => {
      const place = flash.kind === "served" ? flash.trip.dropoff : flash.trip.pickup;
      if (!place) return [];
      const [x, y] = this.onPlane(place);
      return [{ x, y, since, kind: PinKind[flash.kind] }];
    });
    return [...awaited, ...flashes, ...waiting];
  }

  private links(): Link[] {
    const links: Link[] = [];
    for (const trip of this.city.trips.open.values()) {
      if (trip.state !== TripState.ASSIGNED || !trip.driver || !trip.pickup) continue;
      const slot = this.cars.slotOf(trip.driver.driverId);
      if (slot === undefined) continue;
      const [x, y] = this.onPlane(trip.pickup);
      links.push({ slot, x, y });
    }
    return links;
  }

  private onPlane(place: { latE7: number; lngE7: number }): [number, number] {
    return [this.city.plane.x(place.lngE7 / 1e7), this.city.plane.y(place.latE7 / 1e7)];
  }
}
