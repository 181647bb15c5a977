import type { AreaBatch } from "./area_feed.js";

/** Number of floats of a car, as the GPU reads them: start x, y; end x, y; the time when the car
 * leaves the start and the duration until it reaches the end, in seconds of the page; the heading at
 * the start and the turn until the end, in radians clockwise from north; the state. */
export const kStride = 9;
const [kFromX, kFromY, kToX, kToY, kStart, kDuration, kHeading, kTurn] = [
  0, 1, 2, 3, 4, 5, 6, 7,
] as const;
export const kState = 8;

/** A car that was reported farther away than this is moved there at once. */
const kJumpM = 500;
/** Bounds of the time between two reports of a car, in seconds. */
const kShortest = 0.1;
const kLongest = 6;

export interface CarView {
  readonly slot: number;
  readonly driverId: string;
  readonly x: number;
  readonly y: number;
  /** Radians clockwise from north. */
  readonly heading: number;
  readonly state: number;
  readonly freeSeats: number;
}

/** All cars of the city. Each moves from where it was drawn when its last report came to the
 * reported place, so that it neither jumps nor stops between two reports. The arrays are flat,
 * because the GPU moves ten thousand cars and a report changes a few floats. */
export class Cars {
  /** One more than the last slot in use. A slot without a car has state 0. */
  count = 0;
  /** `count` times kStride floats. */
  data = new Float32Array(256 * kStride);
  /** Grows with each change. */
  version = 0;
  private freeSeats = new Uint8Array(256);
  private reportedAt = new Float64Array(256);
  private driverIds: (string | undefined)[] = [];
  private readonly slots = new Map<string, number>();
  /** Seconds between two reports of a moving car, smoothed over all cars. */
  private typical = 1;
  private readonly jump: number;

  /** `unitsPerM`: units of the plane in a metre. */
  constructor(unitsPerM = 1) {
    this.jump = kJumpM * unitsPerM;
  }

  get size(): number {
    return this.slots.size;
  }

  /** `now`, in all methods, is in seconds of the page. */
  apply(batch: AreaBatch, now: number): void {
    this.version += 1;
    for (const slot of batch.left) this.remove(slot);
    for (const { slot, driverId } of batch.joined) this.add(slot, driverId);
    let intervals = 0;
    let samples = 0;
    batch.slots.forEach((slot, i) => {
      const x = batch.places[2 * i] as number;
      const y = batch.places[2 * i + 1] as number;
      const interval = now - (this.reportedAt[slot] as number);
      if (interval < kLongest) {
        intervals += interval;
        samples += 1;
      }
      this.reportedAt[slot] = now;
      this.steer(slot, x, y, ((batch.headings[i] as number) * Math.PI) / 180, interval, now);
      this.data[slot * kStride + kState] = batch.states[i] as number;
      this.freeSeats[slot] = batch.freeSeats[i] as number;
    });
    if (samples > 0) this.typical += 0.2 * (intervals / samples - this.typical);
  }

  slotOf(driverId: string): number | undefined {
    return this.slots.get(driverId);
  }

  view(slot: number, now: number): CarView | undefined {
    const driverId = this.driverIds[slot];
    if (driverId === undefined) return undefined;
    const [x, y, heading] = this.drawn(slot, now);
    const state = this.data[slot * kStride + kState] as number;
    return { slot, driverId, x, y, heading, state, freeSeats: this.freeSeats[slot] as number };
  }

  /** The car drawn nearest to a place, at most `within` units away. */
  nearest(x: number, y: number, within: number, now: number): CarView | undefined {
    let best: number | undefined;
    let bestDistance = within;
    for (let slot = 0; slot < this.count; ++slot) {
      if (this.driverIds[slot] === undefined) continue;
      const [carX, carY] = this.drawn(slot, now);
      const distance = Math.hypot(carX - x, carY - y);
      if (distance > bestDistance) continue;
      best = slot;
      bestDistance = distance;
    }
    return best === undefined ? undefined : this.view(best, now);
  }

  /** The number of cars in each state, indexed by state. */
  countByState(): number[] {
    const counts = [0, 0, 0, 0, 0, 0];
    for (let slot = 0; slot < this.count; ++slot) {
      const state = this.data[slot * kStride + kState] as number;
      if (this.driverIds[slot] !== undefined) counts[state] = (counts[state] ?? 0) + 1;
    }
    return counts;
  }

  private steer(
    slot: number,
    x: number,
    y: number,
    heading: number,
    interval: number,
    now: number,
  ) {
    const at = slot * kStride;
    const isNew = this.data[at + kState] === 0;
    const [fromX, fromY, fromHeading] = this.drawn(slot, now);
    const jumps = isNew || Math.hypot(x - fromX, y - fromY) > this.jump;
    // A little longer than until the next report: arriving late looks smoother than standing still.
    const duration = 1.1 * Math.max(kShortest, Math.min(interval, 1.3 * this.typical, kLongest));
    const startHeading = jumps ? heading : fromHeading;
    this.data[at + kFromX] = jumps ? x : fromX;
    this.data[at + kFromY] = jumps ? y : fromY;
    this.data[at + kToX] = x;
    this.data[at + kToY] = y;
    this.data[at + kStart] = now;
    this.data[at + kDuration] = duration;
    this.data[at + kHeading] = startHeading;
    this.data[at + kTurn] = shortTurn(heading - startHeading);
  }

  private drawn(slot: number, now: number): [x: number, y: number, heading: number] {
    const at = slot * kStride;
    const d = (field: number) => this.data[at + field] as number;
    const duration = d(kDuration);
    const part = duration > 0 ? Math.min(1, Math.max(0, (now - d(kStart)) / duration)) : 1;
    return [
      d(kFromX) + part * (d(kToX) - d(kFromX)),
      d(kFromY) + part * (d(kToY) - d(kFromY)),
      d(kHeading) + Math.min(1, 3 * part) * d(kTurn),
    ];
  }

  private add(slot: number, driverId: string): void {
    this.reserve(slot + 1);
    this.count = Math.max(this.count, slot + 1);
    this.driverIds[slot] = driverId;
    this.slots.set(driverId, slot);
    this.data.fill(0, slot * kStride, (slot + 1) * kStride);
    this.reportedAt[slot] = -Infinity;
  }

  private remove(slot: number): void {
    const driverId = this.driverIds[slot];
    if (driverId === undefined) return;
    this.slots.delete(driverId);
    this.driverIds[slot] = undefined;
    this.data.fill(0, slot * kStride, (slot + 1) * kStride);
  }

  private reserve(slots: number): void {
    const has = this.freeSeats.length;
    if (slots <= has) return;
    const size = Math.max(slots, 2 * has);
    this.data = grown(this.data, new Float32Array(size * kStride));
    this.freeSeats = grown(this.freeSeats, new Uint8Array(size));
    this.reportedAt = grown(this.reportedAt, new Float64Array(size));
  }
}

function grown<T extends { set(from: T): void }>(from: T, into: T): T {
  into.set(from);
  return into;
}

/** The equivalent turn of at most half a circle. */
export function shortTurn(radians: number): number {
  return radians - 2 * Math.PI * Math.round(radians / (2 * Math.PI));
}
