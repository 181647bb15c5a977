import { computed, signal } from "@preact/signals";
import { kNoFigures, type Figures } from "../city/figures.js";

/** Number of samples kept, one per second. */
export const kSamples = 90;
/** The last samples, the newest last. */
export const samples = signal<readonly Figures[]>([]);
export const figures = computed<Figures>(() => samples.value.at(-1) ?? kNoFigures);

export function addSample(sample: Figures): void {
  samples.value = [...samples.value.slice(1 - kSamples), sample];
}
