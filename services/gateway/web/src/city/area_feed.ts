import { DriverState, type WatchAreaResponse } from "../gen/ridestream/location/v1/location_pb.js";
import type { Plane } from "./projection.js";

/** The changes in one frame of WatchArea, as arrays that a worker transfers without copying. */
export interface AreaBatch {
  /** Slots of the cars that moved or changed. The arrays below have an entry for each. */
  readonly slots: Uint32Array;
  /** x and y on the city's plane, alternating. */
  readonly places: Float32Array;
  /** Degrees clockwise from north. */
  readonly headings: Uint16Array;
  readonly states: Uint8Array;
  readonly freeSeats: Uint8Array;
  /** New cars and their slots. */
  readonly joined: readonly { readonly slot: number; readonly driverId: string }[];
  /** Slots of cars that are gone. A later batch may give them to other cars. */
  readonly left: Uint32Array;
}

/** Turns frames of WatchArea into batches, and gives each driver a slot. A snapshot keeps the slots
 * of drivers who are still there, so that cars don't jump after a stream was reopened. */
export class AreaFeed {
  private readonly slotOf = new Map<string, number>();
  private readonly free: number[] = [];
  private next = 0;

  constructor(private readonly plane: Plane) {}

  take(frame: WatchAreaResponse): AreaBatch {
    const joined: { slot: number; driverId: string }[] = [];
    const left: number[] = [];
    for (const driverId of frame.goneDriverIds) this.release(driverId, left);
    if (frame.snapshot) {
      const present = new Set(frame.drivers.map((driver) => driver.driverId));
      for (const id of [...this.slotOf.keys()]) if (!present.has(id)) this.release(id, left);
    }
    const count = frame.drivers.length;
    const batch = {
      slots: new Uint32Array(count),
      places: new Float32Array(2 * count),
      headings: new Uint16Array(count),
      states: new Uint8Array(count),
      freeSeats: new Uint8Array(count),
    };
    frame.drivers.forEach((driver, i) => {
      let slot = this.slotOf.get(driver.driverId);
      if (slot === undefined) {
        slot = this.free.pop() ?? this.next++;
        this.slotOf.set(driver.driverId, slot);
        joined.push({ slot, driverId: driver.driverId });
      }
      batch.slots[i] = slot;
      batch.places[2 * i] = this.plane.x((driver.position?.lngE7 ?? 0) / 1e7);
      batch.places[2 * i + 1] = this.plane.y((driver.position?.latE7 ?? 0) / 1e7);
      batch.headings[i] = driver.headingDeg;
      batch.states[i] = driver.state;
      batch.freeSeats[i] = driver.freeSeats;
    });
    // Freed last, so that no slot is left and joined in one batch.
    this.free.push(...left);
    return { ...batch, joined, left: Uint32Array.from(left) };
  }

  private release(driverId: string, left: number[]): void {
    const slot = this.slotOf.get(driverId);
    if (slot === undefined) return;
    this.slotOf.delete(driverId);
    left.push(slot);
  }
}

/** The states of cars on the map, in the order of display. */
export const kCarStates = [
  DriverState.IDLE,
  DriverState.OFFERED,
  DriverState.EN_ROUTE,
  DriverState.OCCUPIED,
] as const;

export function isOnMap(state: DriverState): boolean {
  return state >= DriverState.IDLE && state <= DriverState.OCCUPIED;
}
