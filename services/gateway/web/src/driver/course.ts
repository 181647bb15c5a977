import { decodeLine } from "../city/streets.js";
import { distanceM, type LngLat } from "../city/projection.js";
import type { Route } from "../gen/ridestream/common/v1/common_pb.js";

/** Nearer to a stop than this, the car is there. */
const kThereM = 25;

/** A route being driven: how far the car has come, and where it halts. */
export class Course {
  readonly line: readonly LngLat[];
  /** When each point is reached, in milliseconds of driving from the first. */
  private readonly reachedMs: readonly number[];
  private drivenMs = 0;
  /** Where the car doesn't drive on. */
  private haltMs: number;

  constructor(route: Route) {
    this.line = decodeLine(route);
    let sum = 0;
    this.reachedMs = [0, ...route.pieceMs.map((ms) => (sum += ms))];
    this.haltMs = sum;
  }

  /** The next stop: the car drives to the point of its route that comes nearest to it first. */
  haltAt(place: LngLat): void {
    let best = this.indexAfter(this.drivenMs);
    for (let i = best; i < this.line.length; ++i) {
      const distance = distanceM(this.line[i] as LngLat, place);
      if (distance < distanceM(this.line[best] as LngLat, place)) best = i;
      if (distance < 1) break;
    }
    this.haltMs = Math.max(this.drivenMs, this.reachedMs[best] ?? this.haltMs);
  }

  /** Drives for so long, at the route's own speed. */
  drive(ms: number): void {
    this.drivenMs = Math.min(this.drivenMs + ms, this.haltMs);
  }

  isHalting(): boolean {
    return this.drivenMs >= this.haltMs;
  }

  place(): LngLat {
    return this.between()[0];
  }

  /** Degrees clockwise from north. */
  headingDeg(): number {
    return this.between()[1];
  }

  /** What is still to drive, from where the car is. */
  rest(): LngLat[] {
    return [this.place(), ...this.line.slice(this.indexAfter(this.drivenMs))];
  }

  private between(): [LngLat, number] {
    const to = Math.min(this.indexAfter(this.drivenMs), this.line.length - 1);
    const from = Math.max(0, to - 1);
    const [a, b] = [this.line[from] as LngLat, this.line[to] as LngLat];
    const [start, end] = [this.reachedMs[from] as number, this.reachedMs[to] as number];
    const part = end > start ? Math.min(1, (this.drivenMs - start) / (end - start)) : 1;
    const place: LngLat = [a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1])];
    const east = (b[0] - a[0]) * Math.cos((a[1] * Math.PI) / 180);
    const degrees = (Math.atan2(east, b[1] - a[1]) * 180) / Math.PI;
    return [place, (Math.round(degrees) + 360) % 360];
  }

  /** The first point that is reached after so long. */
  private indexAfter(ms: number): number {
    const index = this.reachedMs.findIndex((reached) => reached > ms);
    return index < 0 ? this.line.length - 1 : index;
  }
}

export function isThere(car: LngLat, stop: LngLat): boolean {
  return distanceM(car, stop) < kThereM;
}
