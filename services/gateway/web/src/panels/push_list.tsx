import { moneyText } from "../city/story.js";
import { clockText, timeOfDay, toMs } from "../city/time.js";
import { outcomeText } from "../driver/drive.js";
import { PlanCause, type PushRecord } from "../gen/ridestream/dispatch/v1/dispatch_pb.js";
import { Name } from "../widgets/name.js";
import "./push_list.css";

/** A newer service may send causes that this table lacks. */
const kCauses: Readonly<Partial<Record<PlanCause, string>>> = {
  [PlanCause.RIDER_ADDED]: "a rider was added",
  [PlanCause.RIDER_CANCELLED]: "a rider cancelled",
  [PlanCause.DESTINATION_CHANGED]: "a destination changed",
  [PlanCause.STOP_DONE]: "a stop was completed",
  [PlanCause.REROUTED]: "the route changed",
  [PlanCause.REASSIGNED]: "a ride was given to another driver",
  [PlanCause.RESTORED]: "the plan was restored after a lost session",
};

/** The messages that dispatch pushed to a driver, the newest first. */
export function PushList({ pushes }: { readonly pushes: readonly PushRecord[] }) {
  return (
    <ol class="pushes" aria-label="Messages to the driver, newest first">
      {[...pushes].reverse().map((push, i) => {
        const [title, detail] = describe(push);
        return (
          <li key={pushes.length - i}>
            <time>{timeOfDay(toMs(push.pushedAt))}</time>
            <span>
              <strong>{title}</strong>{" "}
              <span class="note">
                <Name of={detail} />
              </span>
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
      return ["Offer ended", outcomeText(message.value.outcome)];
    case "plan": {
      const { version, cause, stops } = message.value;
      return [
        `Plan ${version}`,
        [kCauses[cause], stopsText(stops.length)].filter(Boolean).join("; "),
      ];
    }
    case "rejected":
      return ["Rejected", message.value.message];
    default:
      return ["Message", ""];
  }
}

function stopsText(count: number): string {
  return count === 0 ? "no stops" : count === 1 ? "1 stop" : `${count} stops`;
}
