import { decodeLine } from "../city/streets.js";
import { distanceM, type LngLat } from "../city/projection.js";
import type { Route } from "../gen/ridestream/common/v1/common_pb.js";

/** A car at most this far from a stop has reached it. */
const kThereM = 25;

/** A car's way along a route: how far it has come, and where it halts. */
export class Course {
  readonly line: readonly LngLat[];
  /** When each point is reached, in milliseconds of driving from the first. */
  private readonly reachedMs: readonly number[];
  private drivenMs = 0;
  /** The car halts after this time of driving. */
  private haltMs: number;

  constructor(route: Route) {
    this.line = decodeLine(route);
    let sum = 0;
    this.reachedMs = [0, ...route.pieceMs.map((ms) => (sum += ms))];
    this.haltMs = sum;
  }

  /** Sets the next stop: the car halts at the first point of its route that is nearest to `place`. */
  haltAt(place: LngLat): void {
    let best = this.indexAfter(this.drivenMs);
    for (let i = best; i < this.line.length; ++i) {
      const distance = distanceM(this.line[i] as LngLat, place);
      if (distance < distanceM(this.line[best] as LngLat, place)) best = i;
      if (distance < 1) break;
    }
    this.haltMs = Math.max(this.drivenMs, this.reachedMs[best] ?? this.haltMs);
  }

  /** Drives on at the route's own speed. */
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

  /** The rest of the route, from the car on. */
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

  /** The first point that is reached after `ms` of driving. */
  private indexAfter(ms: number): number {
    const index = this.reachedMs.findIndex((reached) => reached > ms);
    return index < 0 ? this.line.length - 1 : index;
  }
}

export function isThere(car: LngLat, stop: LngLat): boolean {
  return distanceM(car, stop) < kThereM;
}
