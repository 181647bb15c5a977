import { signal, type ReadonlySignal } from "@preact/signals";
import type { Link } from "../api/follow.js";
import { fromLatLng, toLatLng, type LngLat } from "../city/projection.js";
import {
  type GiveUpCause,
  OfferOutcome,
  StopKind,
  type DriveResponse,
  type Offer,
  type Plan,
  type StopAction,
  type Welcome,
} from "../gen/ridestream/dispatch/v1/dispatch_pb.js";
import { Course, isThere } from "./course.js";
import { DriveSession, type OpenDrive } from "./drive_session.js";

/** What a driver sees. */
export interface DriveState {
  /** Null: not driving. */
  readonly driverId: string | null;
  /** The id of the car on the map. Null until the gateway has sent it. */
  readonly carId: string | null;
  readonly link: Link;
  readonly place: LngLat | null;
  readonly headingDeg: number;
  readonly offer: Offer | null;
  readonly plan: Plan | null;
  /** The rest of the plan's route. */
  readonly route: readonly LngLat[];
  /** The car stands at its next stop. */
  readonly isAtStop: boolean;
  /** The last event, for display: how an offer ended, or why a command was rejected. */
  readonly notice: string;
}

const kNotDriving: DriveState = {
  driverId: null,
  carId: null,
  link: { kind: "connecting" },
  place: null,
  headingDeg: 0,
  offer: null,
  plan: null,
  route: [],
  isAtStop: false,
  notice: "",
};

const kOutcomes: Readonly<Partial<Record<OfferOutcome, string>>> = {
  [OfferOutcome.ACCEPTED]: "The ride is yours.",
  [OfferOutcome.DECLINED]: "Declined.",
  [OfferOutcome.EXPIRED]: "The offer expired.",
  [OfferOutcome.RIDER_CANCELLED]: "The rider cancelled.",
  [OfferOutcome.ALREADY_TAKEN]: "Another driver was faster.",
  [OfferOutcome.WITHDRAWN]: "The offer was withdrawn.",
};

/** How an offer ended, for display; "" for an outcome of a newer service. */
export function outcomeText(outcome: OfferOutcome): string {
  return kOutcomes[outcome] ?? "";
}

export interface DriveOptions {
  readonly market: string;
  readonly open: OpenDrive;
  /** How fast the city's clock runs. */
  readonly rate: () => number;
  readonly random?: () => number;
}

/** The driver's side: a session, and a car that follows its plan's route by itself up to the next
 * stop. The owner calls onTime several times a second. */
export class Drive {
  readonly state: ReadonlySignal<DriveState>;
  private readonly current = signal<DriveState>(kNotDriving);
  private session: DriveSession | null = null;
  private course: Course | null = null;
  private routeId = 0n;
  private positionSequence = 0n;
  private lastTimeMs = 0;
  private reportAtMs = 0;

  constructor(private readonly options: DriveOptions) {
    this.state = this.current;
  }

  /** Starts driving a new car, or one that is on the road. `nowMs`, here and below, is
   * performance.now(). */
  start(driverId: string, place: LngLat, seats: number, nowMs: number): void {
    this.stop();
    this.lastTimeMs = this.reportAtMs = nowMs;
    this.change({ driverId, place });
    this.session = new DriveSession({
      market: this.options.market,
      driverId,
      seats,
      open: this.options.open,
      onWelcome: (welcome) => this.onWelcome(welcome),
      onPush: (push) => this.onPush(push),
      onLink: (link) => this.onLink(link),
      onPseudonym: (carId) => this.change({ carId }),
      planVersion: () => this.current.value.plan?.version ?? 0n,
      random: this.options.random ?? Math.random,
    });
    this.session.onTime(nowMs);
  }

  stop(): void {
    this.session?.close();
    this.session = this.course = null;
    this.routeId = this.positionSequence = 0n;
    this.current.value = kNotDriving;
  }

  answer(accept: boolean): void {
    const { offer } = this.current.value;
    if (!offer) return;
    this.session?.send({ case: "offerAnswer", value: { offerId: offer.offerId, accept } });
    this.change({ notice: accept ? "Accepting …" : "Declining …" });
  }

  /** Performs an action at the stop where the car stands. */
  act(action: StopAction): void {
    const stop = this.current.value.plan?.stops[0];
    if (!stop) return;
    this.report(); // Dispatch learns the position before the action there.
    this.session?.send({ case: "stopUpdate", value: { tripId: stop.tripId, action } });
  }

  /** Gives up the ride of the next rider who is not aboard yet. */
  giveUp(cause: GiveUpCause): void {
    const stop = this.current.value.plan?.stops.find((each) => each.kind === StopKind.PICK_UP);
    if (!stop) return;
    const value = { tripId: stop.tripId, cause };
    this.session?.send({ case: "giveUp", value });
  }

  onTime(nowMs: number): void {
    if (!this.session) return;
    const passedMs = (nowMs - this.lastTimeMs) * this.options.rate();
    this.lastTimeMs = nowMs;
    this.course?.drive(passedMs);
    this.showCar();
    this.session.onTime(nowMs);
    if (nowMs >= this.reportAtMs) this.report();
  }

  private onLink(link: Link): void {
    if (link.kind !== "ended") return this.change({ link });
    this.stop();
    this.change({ notice: link.error ?? "" });
  }

  private onWelcome({ resumed, snapshot }: Welcome): void {
    if (!resumed) {
      this.positionSequence = 0n;
      this.course = null;
      this.change({ plan: null });
    }
    this.change({ offer: snapshot?.offer ?? null });
    if (snapshot?.plan) this.onPlan(snapshot.plan);
    this.report();
  }

  private onPush(push: DriveResponse["message"]): void {
    if (push.case === "offer") {
      this.change({ offer: push.value, notice: "" });
    } else if (push.case === "offerEnded") {
      const isOpen = this.current.value.offer?.offerId === push.value.offerId;
      this.change({ ...(isOpen && { offer: null }), notice: outcomeText(push.value.outcome) });
    } else if (push.case === "plan") {
      this.onPlan(push.value);
    } else if (push.case === "rejected") {
      this.change({ notice: push.value.message });
    }
  }

  private onPlan(plan: Plan): void {
    // After a resume older plans follow the snapshot's, which weren't acked.
    if (plan.version <= (this.current.value.plan?.version ?? 0n)) return;
    if (plan.route) this.course = new Course(plan.route);
    else if (plan.routeId !== this.routeId || plan.stops.length === 0) this.course = null;
    this.routeId = plan.routeId;
    const next = plan.stops[0]?.place;
    if (next) this.course?.haltAt(fromLatLng(next));
    this.change({ plan });
    this.showCar();
  }

  private showCar(): void {
    const { course } = this;
    const place = course?.place() ?? this.current.value.place;
    const stop = this.current.value.plan?.stops[0]?.place;
    const stands = !course || course.isHalting();
    this.change({
      place,
      headingDeg: course?.headingDeg() ?? this.current.value.headingDeg,
      route: course?.rest() ?? [],
      isAtStop: Boolean(place && stop && (stands || isThere(place, fromLatLng(stop)))),
    });
  }

  private report(): void {
    const { place, headingDeg } = this.current.value;
    if (!place || !this.session?.isLive) return;
    this.reportAtMs = this.lastTimeMs + this.session.reportEveryMs / this.options.rate();
    this.session.send({
      case: "position",
      value: {
        sequence: ++this.positionSequence,
        ...toLatLng(place),
        headingDeg,
        speedDmPerS: this.course && !this.course.isHalting() ? 100 : 0,
        deviceTimeMs: BigInt(Date.now()),
      },
    });
  }

  private change(part: Partial<DriveState>): void {
    this.current.value = { ...this.current.value, ...part };
  }
}
