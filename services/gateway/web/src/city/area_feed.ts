import { DriverState, type WatchAreaResponse } from "../gen/ridestream/location/v1/location_pb.js";
import type { Plane } from "./projection.js";

/** What one frame of WatchArea changed, as arrays that a worker hands over without copying. */
export interface AreaBatch {
  /** The cars that moved or changed; the arrays below have an entry for each. */
  readonly slots: Uint32Array;
  /** x and y on the city's plane, in turn. */
  readonly places: Float32Array;
  /** Degrees clockwise from north. */
  readonly headings: Uint16Array;
  readonly states: Uint8Array;
  readonly freeSeats: Uint8Array;
  /** Cars that are new, with the slots they have from now on. */
  readonly joined: readonly { readonly slot: number; readonly driverId: string }[];
  /** Slots whose cars are gone. They may be given to others in a later batch. */
  readonly left: Uint32Array;
}

/** Turns WatchArea's frames into batches, and gives each driver a slot. A snapshot keeps the slots
 * of those who are still there, so that their cars don't jump when a stream was opened anew. */
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
    // Only now: a slot isn't left and joined in one batch.
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

/** States that a car on the map can be in, in the order in which they are counted and shown. */
export const kCarStates = [
  DriverState.IDLE,
  DriverState.OFFERED,
  DriverState.EN_ROUTE,
  DriverState.OCCUPIED,
] as const;

export function isOnMap(state: DriverState): boolean {
  return state >= DriverState.IDLE && state <= DriverState.OCCUPIED;
}
