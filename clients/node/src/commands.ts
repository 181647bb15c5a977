import { equals } from "@bufbuild/protobuf";
import { codeOf, CommandRejected, InvalidArgument } from "./errors.js";
import {
  type AnsweredCommand,
  type DriveRequest,
  DriveRequestSchema,
  type DriveResponse,
  type OfferEnded,
  type Plan,
  type Rejected,
  StopAction,
  StopKind,
} from "./gen/ridestream/dispatch/v1/dispatch_pb.js";

export type CommandResult = OfferEnded | Plan | undefined;

type Command = DriveRequest["message"] | Rejected["command"] | AnsweredCommand["command"];

const kEndShift = "end_shift";

interface Pending {
  readonly request: DriveRequest;
  readonly result: Promise<CommandResult>;
  readonly resolve: (result: CommandResult) => void;
  readonly reject: (error: Error) => void;
}

/** A driver's commands whose effect hasn't been seen. They are sent again, in order, after each Welcome. */
export class Commands {
  private readonly pending = new Map<string, Pending>();

  /** Adds a command, unless the same one is already pending. `isNew`: it must be sent. */
  add(request: DriveRequest): { result: Promise<CommandResult>; isNew: boolean } {
    const key = keyOf(request.message);
    const known = this.pending.get(key);
    if (known !== undefined) {
      if (!equals(DriveRequestSchema, known.request, request)) {
        const [kind] = key.split(" ");
        throw new InvalidArgument(`${kind}: another answer to the same is under way`);
      }
      return { result: known.result, isNew: false };
    }
    let resolve!: Pending["resolve"];
    let reject!: Pending["reject"];
    const result = new Promise<CommandResult>((onResult, onError) => {
      resolve = onResult;
      reject = onError;
    });
    this.pending.set(key, { request, result, resolve, reject });
    return { result, isNew: true };
  }

  requests(): DriveRequest[] {
    return [...this.pending.values()].map(({ request }) => request);
  }

  /** Whether the message rejects a pending command. */
  isAnswer({ message }: DriveResponse): boolean {
    return message.case === "rejected" && this.pending.has(keyOf(message.value.command));
  }

  /** Settles the commands that the message answers; `newest` is the current plan. */
  onPush({ message }: DriveResponse, newest: Plan | undefined): void {
    if (message.case === "rejected") {
      const { command, code, message: words } = message.value;
      this.take(keyOf(command))?.reject(new CommandRejected(codeOf(code), words));
    } else if (message.case === "offerEnded") {
      this.take(offerKey(message.value.offerId))?.resolve(message.value);
    } else if (message.case === "plan") {
      for (const answer of message.value.answers) this.take(keyOf(answer.command))?.resolve(newest);
    }
  }

  /** Resolves commands whose effect the snapshot's plan shows; their answers may have been lost. */
  onSnapshot(plan: Plan): void {
    for (const [key, { request }] of this.pending) {
      if (shows(plan, request)) this.take(key)?.resolve(plan);
    }
  }

  /** The stream ended with OK. Returns whether that answers an `end_shift`. */
  onEnd(): boolean {
    const shift = this.take(kEndShift);
    shift?.resolve(undefined);
    return shift !== undefined;
  }

  failAll(error: Error): void {
    for (const key of this.pending.keys()) this.take(key)?.reject(error);
  }

  private take(key: string): Pending | undefined {
    const pending = this.pending.get(key);
    this.pending.delete(key);
    return pending;
  }
}

function offerKey(offerId: string): string {
  return `offer_answer ${offerId}`;
}

function giveUpKey(tripId: string): string {
  return `give_up ${tripId}`;
}

function keyOf(command: Command): string {
  switch (command.case) {
    case "offerAnswer":
      return offerKey(command.value.offerId);
    case "stopUpdate":
      return `stop_update ${command.value.tripId} ${command.value.action}`;
    case "giveUp":
      return giveUpKey(command.value.tripId);
    case "givenUpTripId":
      return giveUpKey(command.value);
    case "endShift":
      return kEndShift;
    default:
      return "";
  }
}

/** Whether the plan shows the effect of the command. */
function shows(plan: Plan, { message }: DriveRequest): boolean {
  if (message.case !== "stopUpdate" && message.case !== "giveUp") return false;
  const stops = plan.stops.filter((stop) => stop.tripId === message.value.tripId);
  const pickUps = stops.filter((stop) => stop.kind === StopKind.PICK_UP);
  const action = message.case === "stopUpdate" ? message.value.action : undefined;
  if (action === StopAction.ARRIVED) return pickUps.every((stop) => stop.arrived);
  if (action === StopAction.PICKED_UP) return pickUps.length === 0;
  return stops.length === 0;
}
