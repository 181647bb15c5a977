import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { ServiceError } from "@grpc/grpc-js";
import { callBidi, decode, onAbort } from "./calls.js";
import { type CommandResult, Commands } from "./commands.js";
import {
  type Connection,
  metadataOf,
  openClient,
  Pauses,
  type Proof,
  prove,
  Refusals,
  Route,
  sleep,
  startTimer,
} from "./connection.js";
import { Code, DriverStopped, isFault, kMaxFaults, StatusError, statusOf } from "./errors.js";
import {
  DispatchService,
  type DriveRequest,
  DriveRequestSchema,
  type DriveResponse,
  DriveResponseSchema,
  type Goodbye,
  GoodbyeReason,
  type Hello,
  type Offer,
  type Position,
} from "./gen/ridestream/dispatch/v1/dispatch_pb.js";
import { Sender, type Sending } from "./sender.js";
import { type Event, milliseconds, Session } from "./session.js";

const kWelcomeWithinMs = 10_000;
/** Lifetime of a stream after which earlier faults no longer count. */
const kHealthyAfterMs = 30_000;
/** Lower bound of the interval of reports, whatever a Welcome says. */
const kMinPeriodMs = 100;

/** Final statuses: the same Hello would get the same answer again. */
const kFinal = new Set([
  Code.INVALID_ARGUMENT,
  Code.PERMISSION_DENIED,
  Code.NOT_FOUND,
  Code.ABORTED,
]);
/** Final if the service requests no pause. */
const kFinalWithoutPause = new Set([Code.FAILED_PRECONDITION, Code.RESOURCE_EXHAUSTED]);

/** A driver's stream, which may span many calls. */
export class Stream {
  readonly session = new Session();
  private readonly commands = new Commands();
  private readonly closing = new AbortController();
  private sender: Sender | undefined;
  private position: Omit<Position, "sequence" | "deviceTimeMs"> | undefined;
  private positionSequence = 0n;
  private welcomedAt = 0;
  private waiting: (() => void)[] = [];
  private isEnded = false;
  private error: Error | undefined;
  private readonly running: Promise<void>;

  constructor(
    private readonly connection: Connection,
    private readonly hello: Hello,
  ) {
    this.running = this.run();
  }

  get isLive(): boolean {
    return this.sender !== undefined;
  }

  /** Returns the next event for the app; undefined after the last. Throws the error that ended the stream. */
  async nextEvent(): Promise<Event | undefined> {
    for (;;) {
      const event = this.session.take();
      this.sender?.advance(); // For its ack.
      if (event !== undefined) return event;
      if (this.error !== undefined) throw this.error;
      if (this.isEnded) return undefined;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  msLeft(offer: Offer): number {
    const { expiresAt } = offer;
    const serverTime = this.session.welcome?.serverTime;
    if (expiresAt === undefined || serverTime === undefined) return 0;
    const left = this.wallMs(timestampMs(expiresAt) - timestampMs(serverTime));
    return left - (performance.now() - this.welcomedAt);
  }

  moveTo(position: Omit<Position, "sequence" | "deviceTimeMs">): void {
    this.position = position;
    this.sender?.advance();
  }

  /** Resolves when the command has taken effect. */
  async command(message: DriveRequest["message"]): Promise<CommandResult> {
    if (this.isEnded) throw this.error ?? new DriverStopped("the driver was closed");
    const request = create(DriveRequestSchema, { message });
    const { result, isNew } = this.commands.add(request);
    if (isNew) this.sender?.send(request);
    return result;
  }

  async close(): Promise<void> {
    this.closing.abort(new DriverStopped("the driver was closed"));
    await this.running;
  }

  private async run(): Promise<void> {
    let error: Error | undefined;
    try {
      await this.keepStreaming();
    } catch (failure) {
      // A final status, a ProtocolError, or an error that the token source threw.
      if (!this.closing.signal.aborted) error = failure as Error;
    }
    this.isEnded = true;
    this.error = error;
    this.commands.failAll(error ?? new DriverStopped("the driver was closed"));
    this.wakeApp();
  }

  /** Opens streams one after another. Returns when the shift has ended. */
  private async keepStreaming(): Promise<void> {
    const pauses = new Pauses();
    const refusals = new Refusals();
    const route = new Route(this.connection.address);
    let faults = 0;
    for (;;) {
      const proof = await prove(this.connection);
      const began = performance.now();
      const error = await this.stream(proof, route, pauses);
      if (error === undefined) return;
      if (kFinal.has(error.code)) throw error;
      if (kFinalWithoutPause.has(error.code) && error.retryAfterMs === undefined) throw error;
      // After a Goodbye the token had expired; after a status, so had the next one.
      if (error.code === Code.UNAUTHENTICATED && !refusals.isNew(proof)) throw error;
      if (!isFault(error) || performance.now() - began >= kHealthyAfterMs) faults = 0;
      if (isFault(error) && ++faults >= kMaxFaults) throw error;
      // A refusal applies its pause to its own address only; the pause of a Goodbye spreads reconnects.
      const atOnce = route.onEnd(error.address) && error.code === Code.FAILED_PRECONDITION;
      const retryInMs = atOnce ? 0 : pauses.next(error.retryAfterMs);
      this.session.tell({ case: "disconnected", value: { error, retryInMs } });
      this.wakeApp();
      await sleep(retryInMs, this.closing.signal);
    }
  }

  /** Runs one stream until it ends. Undefined if the shift has ended. */
  private async stream(
    proof: Proof | undefined,
    route: Route,
    pauses: Pauses,
  ): Promise<StatusError | undefined> {
    // A new connection, because an existing one may be half-open.
    const client = openClient(this.connection, route.address);
    const call = callBidi(
      client,
      DispatchService.method.drive,
      metadataOf(proof, this.hello.market),
    );
    let watchdog: NodeJS.Timeout | undefined;
    let forget: () => void = () => undefined;
    try {
      return await new Promise<StatusError | undefined>((resolve, reject) => {
        const watch = (ms: number): void => {
          clearTimeout(watchdog);
          watchdog = startTimer(() => {
            const words = `the service said nothing for ${(ms / 1_000).toFixed(1)} s`;
            resolve(new StatusError(Code.DEADLINE_EXCEEDED, words));
          }, ms);
        };
        forget = onAbort([this.closing.signal], reject);
        watch(kWelcomeWithinMs);
        call.on("error", (error: ServiceError) => resolve(statusOf(error)));
        call.on("status", ({ code }) => {
          if (code === Code.OK) resolve(this.onEnd());
        });
        call.on("data", (bytes: Buffer) => {
          try {
            const message = decode(DriveResponseSchema, bytes);
            if (!this.isLive) {
              this.onWelcome(message, (request, onRoom) => call.write(request, onRoom));
              route.onWelcome();
              pauses.reset();
            } else if (message.message.case === "goodbye") {
              resolve(this.onGoodbye(message.message.value));
            } else {
              this.onPush(message);
            }
            watch(this.silenceMs());
          } catch (error) {
            reject(error);
          }
        });
        const hello = this.session.hello(this.hello);
        call.write(create(DriveRequestSchema, { message: { case: "hello", value: hello } }));
      });
    } finally {
      clearTimeout(watchdog);
      forget();
      this.sender?.close();
      this.sender = undefined;
      call.removeAllListeners("data").removeAllListeners("status");
      call.cancel();
      client.close();
    }
  }

  /** The status was OK, which is only valid as the answer to `end_shift`. */
  private onEnd(): StatusError | undefined {
    if (this.commands.onEnd()) return undefined;
    return new StatusError(Code.UNAVAILABLE, "the service ended the stream");
  }

  private onGoodbye({ reason, reconnectAfter, address }: Goodbye): StatusError {
    const pauseMs = this.wallMs(milliseconds(reconnectAfter));
    return reason === GoodbyeReason.PROOF_ENDED
      ? new StatusError(Code.UNAUTHENTICATED, "the token has ended", pauseMs, "", address)
      : new StatusError(Code.UNAVAILABLE, "the service ends the stream", pauseMs, "", address);
  }

  private onWelcome(message: DriveResponse, write: Sending["write"]): void {
    const { resumed, reportEvery, heartbeat, snapshot } = this.session.onWelcome(message);
    this.welcomedAt = performance.now();
    if (!resumed) this.positionSequence = 0n;
    const period = (ms: number): number => Math.max(kMinPeriodMs, this.wallMs(ms));
    this.sender = new Sender({
      write,
      ack: () => this.session.ack,
      position: () => this.nextPosition(),
      reportEveryMs: period(milliseconds(reportEvery)),
      // Earlier than the service requires, so that a slow network does not look like silence.
      heartbeatMs: period(milliseconds(heartbeat) * 0.9),
    });
    if (snapshot?.plan !== undefined) this.commands.onSnapshot(snapshot.plan);
    this.sender.advance();
    for (const request of this.commands.requests()) this.sender.send(request);
    this.wakeApp();
  }

  private onPush(message: DriveResponse): void {
    if (message.sequence > 0n) this.sender?.ackAgain(message.sequence);
    this.session.onPush(message, this.commands.isAnswer(message));
    this.commands.onPush(message, this.session.plan);
    this.sender?.advance();
    this.wakeApp();
  }

  private nextPosition(): DriveRequest | undefined {
    if (this.position === undefined) return undefined;
    const sequence = ++this.positionSequence;
    const value = { ...this.position, sequence, deviceTimeMs: BigInt(Date.now()) };
    return create(DriveRequestSchema, { message: { case: "position", value } });
  }

  /** Converts milliseconds of the service's clock to this device's clock. */
  private wallMs(serviceMs: number): number {
    return serviceMs / (this.session.welcome?.clockRate ?? 1);
  }

  /** The silence after which the connection is considered dead. The service sends heartbeats at the interval
   * that it requires from drivers. */
  private silenceMs(): number {
    return Math.max(1_000, 2 * this.wallMs(milliseconds(this.session.welcome?.heartbeat)));
  }

  private wakeApp(): void {
    for (const wake of this.waiting.splice(0)) wake();
  }
}
