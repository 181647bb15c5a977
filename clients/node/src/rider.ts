import { randomUUID } from "node:crypto";
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import {
  type Client,
  connectivityState as ConnectivityState,
  type ServiceError,
} from "@grpc/grpc-js";
import { callServerStreaming, callUnary, decode, onAbort } from "./calls.js";
import {
  checkId,
  checkPlace,
  checkRange,
  checkText,
  kMaxName,
  kMaxSeats,
  kMaxText,
} from "./checks.js";
import {
  type Connection,
  metadataOf,
  openClient,
  Pauses,
  type Proof,
  prove,
  Refusals,
  sleep,
} from "./connection.js";
import {
  Code,
  InvalidArgument,
  isFault,
  kMaxFaults,
  ProtocolError,
  StatusError,
  statusOf,
} from "./errors.js";
import type { LatLng } from "./gen/ridestream/common/v1/common_pb.js";
import { type Market, MarketService } from "./gen/ridestream/market/v1/market_pb.js";
import {
  CancelReason,
  type QuoteTripResponse,
  type Trip,
  TripService,
  TripState,
  WatchTripRequestSchema,
  type WatchTripResponse,
  WatchTripResponseSchema,
} from "./gen/ridestream/trip/v1/trip_pb.js";

/** Options of every call. */
export interface CallOptions {
  /** Ends the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Additional options of a command. */
export interface CommandOptions extends CallOptions {
  /** Identifies the command; by default a new id. An app that may be terminated meanwhile should store it:
   * a repeated command with the same id gets the same answer. */
  readonly requestId?: string;
}

/** Statuses that are retried. All calls are idempotent, so this is safe if a response was lost. CANCELLED: a
 * proxy lost its connection to the service. */
const kAgain = new Set([Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.CANCELLED]);
const kEnded = new Set([TripState.COMPLETED, TripState.CANCELLED, TripState.UNSERVED]);

/**
 * A rider. Calls that may succeed later are retried for `patienceMs`; then, and for every other status, they
 * reject with StatusError. Arguments that the service would refuse reject with InvalidArgument before a call
 * is sent.
 */
export class Rider implements AsyncDisposable {
  private readonly patienceMs: number;
  private readonly closing = new AbortController();
  private client: Client | undefined;

  constructor(
    private readonly connection: Connection,
    options: { readonly patienceMs?: number } = {},
  ) {
    this.patienceMs = options.patienceMs ?? 30_000;
  }

  /** Ends running calls. */
  close(): void {
    this.closing.abort(new StatusError(Code.CANCELLED, "the rider was closed"));
    this.client?.close();
    this.client = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  /** Returns the served markets and their bounds. */
  async markets(options: CallOptions = {}): Promise<Market[]> {
    const answer = await this.call(MarketService.method.listMarkets, {}, 1_000, options);
    return answer.markets;
  }

  /** Returns the price of a ride, which is valid until `expiresAt`. The party has 1 to 8 people. */
  async quote(
    market: string,
    pickup: LatLng,
    dropoff: LatLng,
    options: CallOptions & { readonly partySize?: number; readonly shared?: boolean } = {},
  ): Promise<QuoteTripResponse> {
    const { partySize = 1, shared = false } = options;
    checkId(market, "market");
    checkPlace(pickup, "pickup");
    checkPlace(dropoff, "dropoff");
    checkRange(partySize, 1, kMaxSeats, "party_size");
    const request = { market, pickup, dropoff, partySize, shared };
    const quote = await this.call(TripService.method.quoteTrip, request, 2_000, options, market);
    if (quote.quoteId === "") throw new ProtocolError("quote_id: is empty");
    return quote;
  }

  /** Requests the ride. Name and note are shown to the driver. */
  async request(
    quoteId: string,
    options: CommandOptions & { readonly name?: string; readonly note?: string } = {},
  ): Promise<Trip> {
    const { requestId = randomUUID(), name = "", note = "" } = options;
    checkId(requestId, "request_id");
    checkId(quoteId, "quote_id");
    checkText(name, kMaxName, "rider_name");
    checkText(note, kMaxText, "note");
    const request = { requestId, quoteId, riderName: name, note };
    const answer = await this.call(TripService.method.requestTrip, request, 5_000, options);
    return checkTrip(answer.trip);
  }

  /** Ends the trip before its drop-off. The default reason is that the rider changed their mind. */
  async cancel(
    tripId: string,
    options: CommandOptions & { readonly reason?: CancelReason; readonly comment?: string } = {},
  ): Promise<Trip> {
    const { requestId = randomUUID(), reason = CancelReason.CHANGED_MIND, comment = "" } = options;
    checkId(requestId, "request_id");
    checkId(tripId, "trip_id");
    if (reason === CancelReason.UNSPECIFIED || !(reason in CancelReason)) {
      const known = "one of its named values other than UNSPECIFIED";
      throw new InvalidArgument(`reason: must be ${known}, is ${reason as number}`);
    }
    checkText(comment, kMaxText, "comment");
    if (reason === CancelReason.NO_SHOW) {
      throw new InvalidArgument("reason: NO_SHOW is set only where a driver releases a trip");
    }
    const request = { requestId, tripId, reason, comment };
    const answer = await this.call(TripService.method.cancelTrip, request, 5_000, options);
    return checkTrip(answer.trip, tripId);
  }

  /** Changes the destination, also during the ride. The resolved trip has the new fare. */
  async changeDestination(
    tripId: string,
    dropoff: LatLng,
    options: CommandOptions = {},
  ): Promise<Trip> {
    const { requestId = randomUUID() } = options;
    checkId(requestId, "request_id");
    checkId(tripId, "trip_id");
    checkPlace(dropoff, "dropoff");
    const request = { requestId, tripId, dropoff };
    const answer = await this.call(TripService.method.changeDestination, request, 5_000, options);
    return checkTrip(answer.trip, tripId);
  }

  /** Returns the stored trip. */
  async get(tripId: string, options: CallOptions = {}): Promise<Trip> {
    checkId(tripId, "trip_id");
    const answer = await this.call(TripService.method.getTrip, { tripId }, 1_000, options);
    return checkTrip(answer.trip, tripId);
  }

  /** Yields the trip now and at each change, until it has ended. Reconnects when the stream breaks, and skips
   * states older than the last one. */
  async *watch(
    tripId: string,
    options: CallOptions = {},
  ): AsyncGenerator<WatchTripResponse, void, undefined> {
    checkId(tripId, "trip_id");
    const signals = this.signals(options);
    const pauses = new Pauses();
    const refusals = new Refusals();
    let faults = 0;
    let version = 0n;
    for (;;) {
      const proof = await prove(this.connection);
      let askedMs: number | undefined;
      try {
        for await (const update of this.watchOnce(tripId, proof, signals)) {
          const trip = checkTrip(update.trip, tripId);
          pauses.reset();
          faults = 0;
          if (trip.version < version) continue;
          version = trip.version;
          yield update;
          if (kEnded.has(trip.state)) return;
        }
      } catch (error) {
        if (!(error instanceof StatusError) || signals.some(({ aborted }) => aborted)) throw error;
        faults = isFault(error) ? faults + 1 : 0;
        const isPassingFault =
          isFault(error) && error.code !== Code.UNIMPLEMENTED && faults < kMaxFaults;
        if (!isPassingFault && !mayHelp(error, proof, refusals)) throw error;
        askedMs = error.retryAfterMs;
      }
      await pause(pauses.next(askedMs), signals);
    }
  }

  /** Runs one stream until it ends. */
  private async *watchOnce(
    tripId: string,
    proof: Proof | undefined,
    signals: readonly AbortSignal[],
  ): AsyncGenerator<WatchTripResponse, void, undefined> {
    for (const signal of signals) signal.throwIfAborted();
    // A new connection, because an existing one may be half-open.
    const client = openClient(this.connection);
    const request = create(WatchTripRequestSchema, { tripId });
    const method = TripService.method.watchTrip;
    const call = callServerStreaming(client, method, request, metadataOf(proof));
    // Also needed after the loop below, because a cancelled call reports an error.
    call.on("error", () => undefined);
    const forget = onAbort(signals, (reason) => call.destroy(reason));
    try {
      for await (const bytes of call) yield decode(WatchTripResponseSchema, bytes as Buffer);
    } catch (error) {
      throw isServiceError(error) ? statusOf(error) : error;
    } finally {
      forget();
      call.cancel();
      client.close();
    }
  }

  /** Retries until the call succeeds, fails permanently, or patience ends. Each try has the method's deadline. */
  private async call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    deadlineMs: number,
    options: CallOptions,
    market?: string,
  ): Promise<MessageShape<O>> {
    const message = create(method.input, request);
    const signals = this.signals(options);
    const pauses = new Pauses();
    const refusals = new Refusals();
    const end = performance.now() + this.patienceMs;
    for (;;) {
      const proof = await prove(this.connection);
      for (const signal of signals) signal.throwIfAborted();
      const client = (this.client ??= openClient(this.connection));
      const withinMs = Math.max(1, Math.min(deadlineMs, end - performance.now()));
      try {
        const metadata = metadataOf(proof, market);
        return await callUnary(client, method, message, metadata, withinMs, signals);
      } catch (error) {
        if (!(error instanceof StatusError) || signals.some(({ aborted }) => aborted)) throw error;
        if (!mayHelp(error, proof, refusals)) throw error;
        const pauseMs = pauses.next(error.retryAfterMs);
        if (performance.now() + pauseMs >= end) throw error;
        const isOpen = client.getChannel().getConnectivityState(false) === ConnectivityState.READY;
        // Its connection may be half-open.
        if (error.code === Code.DEADLINE_EXCEEDED && isOpen) this.drop(client);
        await pause(pauseMs, signals);
      }
    }
  }

  /** Makes the next call open a new connection. Calls on this one may finish. */
  private drop(client: Client): void {
    if (this.client !== client) return;
    this.client = undefined;
    client.close();
  }

  private signals({ signal }: CallOptions): AbortSignal[] {
    return signal === undefined ? [this.closing.signal] : [this.closing.signal, signal];
  }
}

/** Whether the same call may succeed later. */
function mayHelp(error: StatusError, proof: Proof | undefined, refusals: Refusals): boolean {
  if (error.code === Code.UNAUTHENTICATED) return refusals.isNew(proof);
  return kAgain.has(error.code) || error.retryAfterMs !== undefined;
}

/** Rejects with the reason of the first signal that aborts. */
async function pause(ms: number, signals: readonly AbortSignal[]): Promise<void> {
  const interrupted = new AbortController();
  let reason: Error | undefined;
  const forget = onAbort(signals, (why) => {
    reason = why;
    interrupted.abort();
  });
  try {
    await sleep(ms, interrupted.signal);
  } catch (error) {
    throw reason ?? error;
  } finally {
    forget();
  }
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && typeof error.code === "number";
}

function checkTrip(trip: Trip | undefined, tripId?: string): Trip {
  const came = trip?.tripId ?? "";
  if (trip === undefined || came === "" || (tripId !== undefined && came !== tripId)) {
    throw new ProtocolError(`trip.trip_id: '${came}' came for '${tripId ?? "a new trip"}'`);
  }
  return trip;
}
