import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";

/** Milliseconds; 0 for a missing duration. */
export function durationMs(duration: Duration | undefined): number {
  return Number(duration?.seconds ?? 0) * 1000 + (duration?.nanos ?? 0) / 1e6;
}

/** Unix time in milliseconds; 0 for a missing time. */
export function toMs(time: Timestamp | undefined): number {
  return time ? Number(time.seconds) * 1000 + time.nanos / 1e6 : 0;
}

/** The services' clock, which runs faster than real time in simulations. */
export class CityClock {
  private cityMs = Date.now();
  private wallMs = 0;
  rate = 1;

  constructor(private readonly wall: () => number = () => performance.now()) {
    this.wallMs = wall();
  }

  /** Sets the services' time and the rate of their clock. */
  set(cityMs: number, rate: number): void {
    this.cityMs = cityMs;
    this.wallMs = this.wall();
    this.rate = rate;
  }

  /** Sets the clock forward to `cityMs` if it is behind: an event of that time has been seen, so the
   * answer that set the clock must have been delayed. */
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

/** "42 s", "8 min", "17 min 7 s": for sentences, where a colon would look like a time of day. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [
    [Math.floor(whole / 60), "min"],
    [whole % 60, "s"],
  ].flatMap(([count, unit]) => (count ? [`${count} ${unit}`] : []));
  return parts.join(" ") || "0 s";
}

/** The UTC time of day, such as "09:03:00". */
export function timeOfDay(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}
