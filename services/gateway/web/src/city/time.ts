import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";

/** 0 for a duration that isn't set. */
export function durationMs(duration: Duration | undefined): number {
  return Number(duration?.seconds ?? 0) * 1000 + (duration?.nanos ?? 0) / 1e6;
}

/** Unix time in milliseconds, 0 for a time that isn't set. */
export function toMs(time: Timestamp | undefined): number {
  return time ? Number(time.seconds) * 1000 + time.nanos / 1e6 : 0;
}

/** The services' clock, which in simulations runs faster than the wall's. */
export class CityClock {
  private cityMs = Date.now();
  private wallMs = 0;
  rate = 1;

  constructor(private readonly wall: () => number = () => performance.now()) {
    this.wallMs = wall();
  }

  /** The services said that it is `cityMs` now. */
  set(cityMs: number, rate: number): void {
    this.cityMs = cityMs;
    this.wallMs = this.wall();
    this.rate = rate;
  }

  /** Something happened there at `cityMs`, so it can't be earlier now: the answer that set the clock
   * was under way for longer than this. */
  atLeast(cityMs: number): void {
    if (cityMs > this.now()) this.set(cityMs, this.rate);
  }

  /** Unix time in milliseconds. */
  now(): number {
    return this.cityMs + (this.wall() - this.wallMs) * this.rate;
  }
}

/** "0:42", "12:05", "1:02:09". */
export function clockText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 60) % 60, whole % 60];
  const hours = Math.floor(whole / 3600);
  const tail = parts.map((part) => String(part).padStart(2, "0")).join(":");
  return hours > 0 ? `${hours}:${tail}` : tail.replace(/^0/, "");
}

/** "42 s", "8 min", "17 min 7 s": within a sentence, where a colon would be taken for a time of day. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [
    [Math.floor(whole / 60), "min"],
    [whole % 60, "s"],
  ].flatMap(([count, unit]) => (count ? [`${count} ${unit}`] : []));
  return parts.join(" ") || "0 s";
}

/** The city's time of day. */
export function timeOfDay(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}
