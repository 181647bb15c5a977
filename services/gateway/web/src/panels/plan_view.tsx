import { clockText, timeOfDay, toMs } from "../city/time.js";
import { kOutcomes } from "../driver/drive.js";
import {
  PlanCause,
  StopKind,
  type PushRecord,
  type Stop,
} from "../gen/ridestream/dispatch/v1/dispatch_pb.js";
import { moneyText } from "../city/story.js";
import { selection, tab } from "../ui/state.js";

const kCauses: Readonly<Record<PlanCause, string>> = {
  [PlanCause.UNSPECIFIED]: "",
  [PlanCause.RIDER_ADDED]: "a rider was added",
  [PlanCause.RIDER_CANCELLED]: "a rider cancelled",
  [PlanCause.DESTINATION_CHANGED]: "a destination changed",
  [PlanCause.STOP_DONE]: "a stop was done",
  [PlanCause.REROUTED]: "another way",
  [PlanCause.REASSIGNED]: "a ride went to another driver",
  [PlanCause.RESTORED]: "told again from the record",
};

/** What a driver is to do, in the order of driving. */
export function StopList({ stops }: { readonly stops: readonly Stop[] }) {
  const open = (tripId: string) => {
    selection.value = { kind: "trip", tripId };
    tab.value = "city";
  };
  return (
    <ol class="list" aria-label="Stops">
      {stops.map((stop) => {
        const isPickUp = stop.kind === StopKind.PICK_UP;
        return (
          <li key={`${stop.tripId}-${stop.kind}`}>
            <button type="button" class="row" onClick={() => open(stop.tripId)}>
              <span
                class={isPickUp ? "dot trip-requested" : "dot trip-completed"}
                aria-hidden="true"
              />
              <span class="row-title">
                {isPickUp ? "Pick up " : "Drop off "}
                {stop.passenger?.name || "a rider"}
                {(stop.passenger?.partySize ?? 1) > 1 && ` (${stop.passenger?.partySize})`}
              </span>
              <span class="row-note">
                {stop.arrived ? "the driver is there" : stop.passenger?.note}
              </span>
              <span class="row-aside">{clockText(stop.etaS)}</span>
            </button>
          </li>
        );
      })}
    </ol>
  );
}

/** What a driver was pushed, the latest first. */
export function PushList({ pushes }: { readonly pushes: readonly PushRecord[] }) {
  return (
    <ol class="pushes" aria-label="Messages to the driver, the latest first">
      {[...pushes].reverse().map((push, i) => {
        const [title, detail] = describe(push);
        return (
          <li key={pushes.length - i}>
            <time>{timeOfDay(toMs(push.pushedAt))}</time>
            <span>
              <strong>{title}</strong> <span class="note">{detail}</span>
            </span>
          </li>
        );
      })}
    </ol>
  );
}

function describe({ message }: PushRecord): [title: string, detail: string] {
  switch (message.case) {
    case "offer":
      return [
        "Offer",
        `${moneyText(message.value.fare)}, ${clockText(message.value.pickupEtaS)} away`,
      ];
    case "offerEnded":
      return ["Offer ended", kOutcomes[message.value.outcome]];
    case "plan":
      return [
        `Plan ${message.value.version}`,
        `${kCauses[message.value.cause]}; ${stopsText(message.value.stops.length)}`,
      ];
    case "rejected":
      return ["Refused", message.value.message];
    default:
      return ["Message", ""];
  }
}

function stopsText(count: number): string {
  return count === 0 ? "nothing to do" : count === 1 ? "one stop" : `${count} stops`;
}
