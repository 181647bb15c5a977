import { quantile } from "../city/quantile.js";

/** Times of the last frames, in milliseconds. */
export interface FrameReport {
  readonly frames: number;
  readonly perSecond: number;
  /** Time from one frame to the next. */
  readonly intervalP50: number;
  readonly intervalP99: number;
  /** Time of the page's own work in a frame, without the GPU's. */
  readonly workP50: number;
  readonly workP99: number;
}

const kKept = 1_200;

/** Measures the last frames. */
export class FrameMeter {
  private readonly intervals: number[] = [];
  private readonly work: number[] = [];
  private lastMs = 0;

  /** The page worked on a frame from `startMs` to `endMs` (performance.now()). */
  onFrame(startMs: number, endMs: number): void {
    if (this.lastMs > 0) push(this.intervals, startMs - this.lastMs);
    this.lastMs = startMs;
    push(this.work, endMs - startMs);
  }

  reset(): void {
    this.intervals.length = 0;
    this.work.length = 0;
    this.lastMs = 0;
  }

  report(): FrameReport {
    const total = this.intervals.reduce((sum, ms) => sum + ms, 0);
    return {
      frames: this.intervals.length,
      perSecond: total > 0 ? (1000 * this.intervals.length) / total : 0,
      intervalP50: quantile(this.intervals, 0.5),
      intervalP99: quantile(this.intervals, 0.99),
      workP50: quantile(this.work, 0.5),
      workP99: quantile(this.work, 0.99),
    };
  }
}

function push(into: number[], value: number): void {
  into.push(value);
  if (into.length > kKept) into.shift();
}
