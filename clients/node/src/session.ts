import { create } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";
import { ProtocolError, type StatusError } from "./errors.js";
import {
  type DriveResponse,
  type Hello,
  HelloSchema,
  type Offer,
  type OfferEnded,
  type Plan,
  ResumeSchema,
  type Welcome,
} from "./gen/ridestream/dispatch/v1/dispatch_pb.js";

/** The stream is open. If the session wasn't resumed, all earlier pushes are void. */
export interface Connected {
  readonly resumed: boolean;
  readonly sessionId: string;
  readonly epoch: bigint;
}

/** The stream broke. The driver reconnects automatically. */
export interface Disconnected {
  readonly error: StatusError;
  readonly retryInMs: number;
}

type Push = Extract<
  DriveResponse["message"],
  { case: "offer" | "offerEnded" | "plan" | "rejected" | "waitingPlace" }
>;

/** Events for a driver's app, in the form of the generated code's oneofs. */
export type Event =
  | { readonly case: "connected"; readonly value: Connected }
  | { readonly case: "disconnected"; readonly value: Disconnected }
  | Push;

/** An event that the app hasn't taken. Without an event, only a sequence to ack. */
interface Untaken {
  readonly sequence: bigint;
  readonly event: Event | undefined;
}

/** Number of ended offers to remember, so that each end is reported once. */
const kRememberedOffers = 64;
/** Bound of events that the app hasn't taken. The service ends a session at 64 unacked pushes, so more are a
 * protocol error. */
const kMaxUntaken = 256;

/** The rules of a driver's session across streams: the effect of each message, and which messages are sent
 * again. Without input and output. */
export class Session {
  welcome: Welcome | undefined;
  plan: Plan | undefined;
  offer: Offer | undefined;
  lastSequence = 0n;
  /** The largest sequence that may be acked. */
  ack = 0n;
  private untaken: Untaken[] = [];
  private readonly ended: string[] = [];

  /** Returns the first message of the next stream. */
  hello(hello: Hello): Hello {
    if (this.welcome === undefined) return hello;
    const { sessionId, epoch } = this.welcome;
    const { lastSequence } = this;
    const planVersion = this.plan?.version ?? 0n;
    const resume = create(ResumeSchema, { sessionId, epoch, lastSequence, planVersion });
    return create(HelloSchema, { ...hello, resume });
  }

  /** Handles a stream's first message. */
  onWelcome({ message }: DriveResponse): Welcome {
    if (message.case !== "welcome") {
      throw new ProtocolError(`the first message must be welcome, is ${nameOf(message)}`);
    }
    const welcome = message.value;
    this.check(welcome);
    this.welcome = welcome;
    if (!welcome.resumed) {
      this.lastSequence = this.ack = 0n;
      this.untaken = [];
      this.plan = this.offer = undefined;
    }
    const { resumed, sessionId, epoch, snapshot } = welcome;
    this.tell({ case: "connected", value: { resumed, sessionId, epoch } });
    if (snapshot?.plan !== undefined) this.onPlan(0n, snapshot.plan);
    if (snapshot?.offer !== undefined) this.onOffer(0n, snapshot.offer);
    else this.offer = undefined;
    return welcome;
  }

  /** Handles any later message except Goodbye. `isAnswer`: a pending command receives this rejection, so the
   * app needs no event. */
  onPush({ message, sequence }: DriveResponse, isAnswer = false): void {
    if (message.case === "welcome" || message.case === "goodbye") {
      throw new ProtocolError(`${nameOf(message)}: came where none is allowed`);
    }
    if (sequence === 0n) {
      if (message.case === undefined || message.case === "heartbeat") return;
      throw new ProtocolError(`${nameOf(message)}: has no sequence`);
    }
    if (sequence > this.lastSequence + 1n) {
      throw new ProtocolError(`push ${sequence} came after ${this.lastSequence}`);
    }
    if (sequence <= this.lastSequence) return; // A repeated push.
    this.lastSequence = sequence;
    switch (message.case) {
      case "offer":
        return this.onOffer(sequence, message.value);
      case "offerEnded":
        return this.onOfferEnded(sequence, message.value);
      case "plan":
        return this.onPlan(sequence, message.value);
      case "rejected":
        return this.add(sequence, isAnswer ? undefined : message);
      case "waitingPlace":
        return this.add(sequence, message);
      default:
        return this.add(sequence, undefined);
    }
  }

  /** Adds a connection event, which replaces one that the app hasn't taken. */
  tell(event: Extract<Event, { case: "connected" | "disconnected" }>): void {
    this.forget(["connected", "disconnected"]);
    this.add(0n, event);
  }

  /** Returns the next event for the app, if there is one. A push may be acked when the app has taken it. */
  take(): Event | undefined {
    const next = this.untaken.shift();
    if (next === undefined) return undefined;
    this.allowAck(next.sequence);
    this.skipSilent();
    return next.event;
  }

  /** Removes such events that the app hasn't taken; their sequences are still acked. */
  private forget(kinds: readonly Event["case"][]): void {
    this.untaken = this.untaken
      .map(({ sequence, event }) => ({
        sequence,
        event: event !== undefined && kinds.includes(event.case) ? undefined : event,
      }))
      .filter(({ sequence, event }) => sequence !== 0n || event !== undefined);
  }

  private add(sequence: bigint, event: Event | undefined): void {
    if (this.untaken.length >= kMaxUntaken) {
      throw new ProtocolError(`${kMaxUntaken} pushes came without an ack`);
    }
    this.untaken.push({ sequence, event });
    this.skipSilent();
  }

  /** Marks entries without an event as taken at once, so that the first waiting entry has an event. */
  private skipSilent(): void {
    for (;;) {
      const first = this.untaken[0];
      if (first === undefined || first.event !== undefined) return;
      this.untaken.shift();
      this.allowAck(first.sequence);
    }
  }

  private allowAck(sequence: bigint): void {
    if (sequence > this.ack) this.ack = sequence;
  }

  private onOffer(sequence: bigint, offer: Offer): void {
    this.checkDriver("offer", offer.driverId);
    if (this.offer?.offerId === offer.offerId || this.ended.includes(offer.offerId)) {
      return this.add(sequence, undefined);
    }
    if (offer.offerId === "" || offer.tripId === "") {
      throw new ProtocolError("offer: has no offer_id or no trip_id");
    }
    this.offer = offer;
    this.add(sequence, { case: "offer", value: offer });
  }

  private onOfferEnded(sequence: bigint, ended: OfferEnded): void {
    if (this.offer?.offerId === ended.offerId) this.offer = undefined;
    if (this.ended.includes(ended.offerId)) return this.add(sequence, undefined);
    this.ended.push(ended.offerId);
    if (this.ended.length > kRememberedOffers) this.ended.shift();
    this.add(sequence, { case: "offerEnded", value: ended });
  }

  private onPlan(sequence: bigint, plan: Plan): void {
    this.checkDriver("plan", plan.driverId);
    const before = this.plan;
    const isOld = before !== undefined && plan.version < before.version;
    if (isOld || (sequence !== 0n && plan.version === before?.version)) {
      return this.add(sequence, undefined);
    }
    const isSameRoute = plan.stops.length > 0 && plan.routeId === before?.routeId;
    const route = plan.route ?? (isSameRoute ? before?.route : undefined);
    this.plan = route === undefined ? plan : { ...plan, route };
    this.forget(["plan"]);
    this.add(sequence, { case: "plan", value: this.plan });
  }

  /** Throws ProtocolError if the message is for another driver. */
  private checkDriver(what: string, driverId: string): void {
    const mine = this.welcome?.driverId ?? "";
    if (driverId === mine) return;
    throw new ProtocolError(`${what}.driver_id: is of driver '${driverId}', not of '${mine}'`);
  }

  private check(welcome: Welcome): void {
    const before = this.welcome;
    if (welcome.sessionId === "") throw new ProtocolError("welcome.session_id: is empty");
    if (welcome.driverId === "") throw new ProtocolError("welcome.driver_id: is empty");
    if (before !== undefined && welcome.epoch <= before.epoch) {
      throw new ProtocolError(`welcome.epoch: ${welcome.epoch} came after ${before.epoch}`);
    }
    if (welcome.resumed && welcome.sessionId !== before?.sessionId) {
      throw new ProtocolError("welcome.resumed: another session than the one asked for");
    }
    checkPeriod(welcome.reportEvery, "report_every");
    checkPeriod(welcome.heartbeat, "heartbeat");
    if (!(welcome.clockRate >= 0.01 && welcome.clockRate <= 1_000)) {
      throw new ProtocolError(`welcome.clock_rate: is ${welcome.clockRate}`);
    }
  }
}

/** Returns 0 if the duration is absent. */
export function milliseconds(duration: Duration | undefined): number {
  return duration === undefined ? 0 : Number(duration.seconds) * 1_000 + duration.nanos / 1e6;
}

function checkPeriod(period: Duration | undefined, field: string): void {
  const ms = milliseconds(period);
  if (!(ms >= 1 && ms <= 86_400_000)) {
    throw new ProtocolError(`welcome.${field}: must be 1 ms to 1 day`);
  }
}

/** The message's name in the protos. */
function nameOf(message: DriveResponse["message"]): string {
  return message.case?.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) ?? "unknown";
}
