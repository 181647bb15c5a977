import { kCarStates } from "../city/area_feed.js";
import { utilization, type Figures } from "../city/figures.js";
import { clockText } from "../city/time.js";
import { figures, kSamples, samples } from "../state/figures.js";
import "../widgets/car_symbol.css";
import { Sparkline } from "../widgets/sparkline.js";
import "./figures_strip.css";

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
    title: "Cars on the map, and the share of cars that are on the way to a rider or carry riders",
    value: (now) => count(now.cars),
    note: (now) => `${Math.round(100 * utilization(now.byState))} % busy`,
    plot: (sample) => utilization(sample.byState),
  },
  {
    label: "Waiting",
    title: "Riders who have no driver yet, and the longest of their waiting times",
    value: (now) => count(now.waiting),
    note: (now) => (now.waiting > 0 ? `longest ${clockText(now.longestWaitS)}` : "none"),
    plot: (sample) => sample.waiting,
  },
  {
    label: "Time to match",
    title: "Time from a request until a driver accepts: median and 99th percentile",
    value: (now) => orDash(now.matchP50S, clockText),
    note: (now) => `p99 ${orDash(now.matchP99S, clockText)}`,
    plot: (sample) => sample.matchP50S,
  },
  {
    label: "Offer delivery",
    title:
      "Real time from the decision to make an offer until the driver acknowledges it: median and " +
      "99th percentile of the last offers",
    value: (now) => orDash(now.offerP50Ms, milliseconds),
    note: (now) => `p99 ${orDash(now.offerP99Ms, milliseconds)}`,
    plot: (sample) => sample.offerP50Ms,
  },
  {
    label: "Completed",
    title:
      "Rides completed in the last minute of the city's time. Below: riders who found no driver " +
      "since the page was opened or, if there are none, all completed rides",
    value: (now) => `${count(now.servedPerMinute)}/min`,
    note: (now) =>
      now.unserved > 0 ? `${count(now.unserved)} unserved` : `${count(now.served)} in total`,
    plot: (sample) => sample.servedPerMinute,
  },
  {
    label: "Riders per car",
    title: "Average number of riders in the cars that carry riders",
    value: (now) => orDash(now.ridersPerCar, (riders) => riders.toFixed(2)),
    note: (now) => `${count(now.aboard)} aboard`,
    plot: (sample) => sample.ridersPerCar,
  },
  {
    label: "Positions",
    title: "Positions that reach the index of cars per second of real time",
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

/** The text of a value, or a dash while the value is unknown. */
function orDash(value: number, text: (value: number) => string): string {
  return value > 0 ? text(value) : "–";
}

/** The strip of live figures. */
export function FiguresStrip() {
  const now = figures.value;
  return (
    // Focusable, because narrow windows scroll the strip, also by keyboard.
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

/** All cars as one bar, divided by their states. */
function StateBar({ byState }: { readonly byState: readonly number[] }) {
  return (
    <div class="state-bar" aria-hidden="true">
      {kCarStates.map((state) => (
        <span key={state} class={`state-${state}`} style={{ flexGrow: byState[state] ?? 0 }} />
      ))}
    </div>
  );
}
