import { kCarStates } from "../city/area_feed.js";
import { utilization, type Figures } from "../city/figures.js";
import { clockText } from "../city/time.js";
import { figures, kSamples, samples } from "./state.js";
import { Sparkline } from "./sparkline.js";

interface Card {
  readonly label: string;
  readonly title: string;
  readonly value: (now: Figures) => string;
  readonly note: (now: Figures) => string;
  readonly plot: (sample: Figures) => number;
}

const kCards: readonly Card[] = [
  {
    label: "Cars",
    title: "Cars on the map, and the share of them that work",
    value: (now) => count(now.cars),
    note: (now) => `${Math.round(100 * utilization(now.byState))} % busy`,
    plot: (sample) => utilization(sample.byState),
  },
  {
    label: "Waiting",
    title: "Riders who have no driver yet, and how long the first of them has waited",
    value: (now) => count(now.waiting),
    note: (now) => (now.waiting > 0 ? `longest ${clockText(now.longestWaitS)}` : "nobody"),
    plot: (sample) => sample.waiting,
  },
  {
    label: "Driver found in",
    title: "From a request until a driver accepts: half of the riders, and all but 1 %",
    value: (now) => orDash(now.matchP50S, clockText),
    note: (now) => `p99 ${orDash(now.matchP99S, clockText)}`,
    plot: (sample) => sample.matchP50S,
  },
  {
    label: "Offers in hand",
    title:
      "From the decision to make an offer until the driver's ack, by the wall's clock: half of " +
      "the last offers, and all but 1 %",
    value: (now) => orDash(now.offerP50Ms, milliseconds),
    note: (now) => `p99 ${orDash(now.offerP99Ms, milliseconds)}`,
    plot: (sample) => sample.offerP50Ms,
  },
  {
    label: "Served",
    title:
      "Rides completed in the last minute of the city's time; below, since the page was opened, " +
      "riders who found no driver, or all who were served if there are none",
    value: (now) => `${count(now.servedPerMinute)}/min`,
    note: (now) =>
      now.unserved > 0 ? `${count(now.unserved)} unserved` : `${count(now.served)} in all`,
    plot: (sample) => sample.servedPerMinute,
  },
  {
    label: "Riders a car",
    title: "People in cars that carry any",
    value: (now) => orDash(now.ridersPerCar, (riders) => riders.toFixed(2)),
    note: (now) => `${count(now.aboard)} aboard`,
    plot: (sample) => sample.ridersPerCar,
  },
  {
    label: "Positions",
    title: "Positions that reach the index in a second of the wall's time",
    value: (now) => `${count(Math.round(now.positionsPerS))}/s`,
    note: () => "into the index",
    plot: (sample) => sample.positionsPerS,
  },
];

function count(value: number): string {
  return value.toLocaleString("en");
}

function milliseconds(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

/** A dash while nothing is known. */
function orDash(value: number, text: (value: number) => string): string {
  return value > 0 ? text(value) : "–";
}

/** The strip of live figures. */
export function FiguresStrip() {
  const now = figures.value;
  return (
    // In narrow windows it is scrolled, by the keyboard too.
    <dl class="figures" aria-label="Live figures" tabIndex={0}>
      {kCards.map((card) => (
        <div class="figure" key={card.label} title={card.title}>
          <dt>{card.label}</dt>
          <dd>
            <strong>{card.value(now)}</strong>
            <span class="note">{card.note(now)}</span>
          </dd>
          <Sparkline values={samples.value.map(card.plot)} length={kSamples} />
        </div>
      ))}
      <StateBar byState={now.byState} />
    </dl>
  );
}

/** All cars as one bar, parted by what they do. */
function StateBar({ byState }: { readonly byState: readonly number[] }) {
  return (
    <div class="state-bar" aria-hidden="true">
      {kCarStates.map((state) => (
        <span key={state} class={`state-${state}`} style={{ flexGrow: byState[state] ?? 0 }} />
      ))}
    </div>
  );
}
