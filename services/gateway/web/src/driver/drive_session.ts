import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, type ConnectError } from "@connectrpc/connect";
import type { Link } from "../api/follow.js";
import type {
  DriveRequestSchema,
  DriveResponse,
  Welcome,
} from "../gen/ridestream/dispatch/v1/dispatch_pb.js";

export type DriveMessage = NonNullable<MessageInitShape<typeof DriveRequestSchema>["message"]>;

/** One call of Drive. */
export interface DriveCall {
  send(request: { message: DriveMessage }): void;
  cancel(): void;
}
export interface DriveListener {
  readonly onHeaders?: (headers: ReadonlyMap<string, string>) => void;
  readonly onMessage: (message: DriveResponse) => void;
  readonly onEnd: (error: ConnectError | null) => void;
}
export type OpenDrive = (driverId: string, listener: DriveListener) => DriveCall;

export interface DriveSessionOptions {
  readonly market: string;
  readonly driverId: string;
  readonly seats: number;
  readonly open: OpenDrive;
  /** The session begins, or resumes after a break. */
  readonly onWelcome: (welcome: Welcome) => void;
  /** Each push once, in order. */
  readonly onPush: (push: DriveResponse["message"]) => void;
  readonly onLink: (link: Link) => void;
  /** The id under which viewers see the car, such as this page's map. */
  readonly onPseudonym: (id: string) => void;
  /** The newest plan's version, 0 for none. */
  readonly planVersion: () => bigint;
  readonly random: () => number;
}

const kPseudonymHeader = "ridestream-pseudonym";
const kFirstPauseMs = 500;
const kLongestPauseMs = 8_000;

/** Errors that the same Hello would get again. ABORTED: a newer session has the car. */
const kFinal = new Set<Code>([
  Code.Aborted,
  Code.FailedPrecondition,
  Code.InvalidArgument,
  Code.NotFound,
  Code.PermissionDenied,
  Code.Unauthenticated,
]);

/** The protocol of a driver's session: Hello and resume, acks, and reconnecting after a break. The
 * owner calls onTime several times a second. */
export class DriveSession {
  private call: DriveCall | null = null;
  /** The session's last Welcome, which outlives a broken stream. */
  private welcome: Welcome | null = null;
  private isWelcomed = false;
  private lastSequence = 0n;
  private nowMs = 0;
  private connectAtMs = 0;
  private pauseMs = kFirstPauseMs;

  constructor(private readonly options: DriveSessionOptions) {
    options.onLink({ kind: "connecting" });
  }

  /** Whether messages can be sent now. */
  get isLive(): boolean {
    return this.call !== null && this.isWelcomed;
  }

  /** How often to send a position, in the city's milliseconds. */
  get reportEveryMs(): number {
    return Number(this.welcome?.reportEvery?.seconds ?? 4n) * 1000;
  }

  onTime(nowMs: number): void {
    this.nowMs = nowMs;
    if (nowMs >= this.connectAtMs) this.connect();
  }

  /** Sends a message, or drops it while there is no stream: commands are idempotent, and the driver
   * can repeat them. */
  send(message: DriveMessage): void {
    this.call?.send({ message });
  }

  close(): void {
    this.call?.cancel();
    this.call = null;
    this.connectAtMs = Infinity;
  }

  private connect(): void {
    const { market, driverId, seats, planVersion } = this.options;
    this.connectAtMs = Infinity;
    this.isWelcomed = false;
    const call: DriveCall = this.options.open(driverId, {
      onHeaders: (headers) => {
        const pseudonym = headers.get(kPseudonymHeader);
        if (this.call === call && pseudonym) this.options.onPseudonym(pseudonym);
      },
      onMessage: (message) => this.call === call && this.onMessage(message),
      onEnd: (error) => this.call === call && this.onEnd(error),
    });
    this.call = call;
    const resume = this.welcome && {
      sessionId: this.welcome.sessionId,
      epoch: this.welcome.epoch,
      lastSequence: this.lastSequence,
      planVersion: planVersion(),
    };
    const vehicle = { model: "Driven from a browser", plate: "WEB" };
    const hello = { market, name: "You", vehicle, seats };
    this.send({ case: "hello", value: resume ? { ...hello, resume } : hello });
  }

  private onMessage({ sequence, message }: DriveResponse): void {
    if (message.case === "welcome") {
      this.welcome = message.value;
      this.isWelcomed = true;
      this.pauseMs = kFirstPauseMs;
      if (!message.value.resumed) this.lastSequence = 0n;
      this.options.onLink({ kind: "live" });
      this.options.onWelcome(message.value);
    } else if (message.case === "heartbeat") {
      this.send({ case: "heartbeat", value: {} });
    } else if (sequence > 0n) {
      // After a resume, dispatch may repeat messages.
      if (sequence > this.lastSequence) {
        this.lastSequence = sequence;
        this.options.onPush(message);
      }
      this.send({ case: "ack", value: { sequence: this.lastSequence } });
    }
  }

  private onEnd(error: ConnectError | null): void {
    this.call = null;
    // The token of a stream that was open has expired. The next Hello carries a
    // new token.
    const proofEnded = error?.code === Code.Unauthenticated && this.isWelcomed;
    if (error && kFinal.has(error.code) && !proofEnded) {
      const fenced = error.code === Code.Aborted;
      const why = fenced ? "Another driver has taken over this car." : error.rawMessage;
      return this.options.onLink({ kind: "ended", error: why });
    }
    const pauseMs = this.pauseMs * (0.5 + this.options.random() / 2);
    this.pauseMs = Math.min(2 * this.pauseMs, kLongestPauseMs);
    this.connectAtMs = this.nowMs + pauseMs;
    const why = error?.rawMessage ?? "the stream ended";
    this.options.onLink({ kind: "lost", error: why, retryAtMs: Date.now() + pauseMs });
  }
}
