import { setTimeout as pause } from "node:timers/promises";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { ProtocolError } from "./errors.js";

/** Where the service is, and who calls. */
export interface Connection {
  /** HOST:PORT. */
  readonly address: string;
  /** Gives a token that is valid now. Called for every call and every stream, so it should cache. */
  readonly token?: () => string | Promise<string>;
  /** The authorities that the service's certificate must lead to, as PEM; by default the system's. */
  readonly rootCertificates?: string | Buffer;
  /** For services that run with --insecure: plaintext, and `driver/ID` or `rider/ID` instead of a
   * token. */
  readonly insecureCaller?: string;
}

/** What the metadata say about the caller. */
export interface Proof {
  readonly key: string;
  readonly value: string;
}

/** A longer timer would fire at once. */
const kLongestTimerMs = 2 ** 31 - 1;
/** Nobody would wait for a longer pause. */
const kMaxPauseMs = 600_000;

const kOptions = {
  // A half-open connection ends after 30 s also where nothing is sent.
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
  // The pauses of this package decide; the channel's own come on top of them.
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1_000,
  "grpc.enable_retries": 0,
  "grpc.service_config_disable_resolution": 1,
  // Each client has connections of its own.
  "grpc.use_local_subchannel_pool": 1,
};

/** A client with a connection of its own, to the address. */
export function openClient(connection: Connection, address = connection.address): Client {
  const { rootCertificates: roots } = connection;
  const channel =
    connection.insecureCaller !== undefined
      ? credentials.createInsecure()
      : credentials.createSsl(roots === undefined ? null : Buffer.from(roots));
  return new Client(address, channel, kOptions);
}

/** Asks for a token now. */
export async function prove(connection: Connection): Promise<Proof | undefined> {
  if (connection.insecureCaller !== undefined) {
    return { key: "ridestream-caller", value: connection.insecureCaller };
  }
  if (connection.token === undefined) return undefined;
  return { key: "authorization", value: `Bearer ${await connection.token()}` };
}

/** The metadata of a call. The market that it concerns lets a proxy find its process. */
export function metadataOf(proof: Proof | undefined, market?: string): Metadata {
  const metadata = new Metadata();
  if (proof !== undefined) metadata.set(proof.key, proof.value);
  if (market !== undefined) metadata.set("ridestream-market", market);
  return metadata;
}

/** Remembers the token that was refused: only another one is worth a try. */
export class Refusals {
  private refused: string | undefined;

  /** Notes that the proof was refused. Returns whether another try may help. */
  isNew(proof: Proof | undefined): boolean {
    if (proof === undefined || proof.value === this.refused) return false;
    this.refused = proof.value;
    return true;
  }
}

const kAddress = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253}):[0-9]{1,5}$/;

/** Where a driver's next stream goes: the configured address, or the last one that the service has
 * named. */
export class Route {
  address: string;
  private named: string;
  private isWelcomed = false;
  private isRedirected = false;

  constructor(private readonly configured: string) {
    this.address = this.named = configured;
  }

  onWelcome(): void {
    this.isWelcomed = true;
    this.isRedirected = false;
  }

  /** Takes the address that a stream's end named, or "". Without a name the next stream goes to the same
   * address if a Welcome came from there, else to the other one. Returns whether this is the first
   * redirect since a Welcome: two processes may name each other. Throws ProtocolError for a name that is
   * no address. */
  onEnd(named: string): boolean {
    const { isWelcomed, isRedirected, address, configured } = this;
    this.isWelcomed = false;
    if (named === "") {
      if (!isWelcomed) this.address = address === configured ? this.named : configured;
      return false;
    }
    if (!kAddress.test(named)) {
      throw new ProtocolError(`the service named '${named}', which isn't host:port`);
    }
    this.address = this.named = named;
    this.isRedirected = true;
    return !isRedirected;
  }
}

/** Pauses before a next try: random up to 0.5 s, then twice as long each time up to 8 s. */
export class Pauses {
  private limitMs = 0;

  constructor(private readonly random: () => number = Math.random) {}

  reset(): void {
    this.limitMs = 0;
  }

  /** In milliseconds. What the service asked for is waited in full, and up to a quarter more. */
  next(askedMs = 0): number {
    if (!(askedMs >= 0 && askedMs <= kMaxPauseMs)) {
      throw new ProtocolError(`a pause of ${askedMs / 1000} s was asked for`);
    }
    if (askedMs > 0) return askedMs * (1 + this.random() / 4);
    this.limitMs = Math.min(Math.max(2 * this.limitMs, 500), 8_000);
    return this.random() * this.limitMs;
  }
}

/** Rejects when the signal aborts. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return pause(ms, undefined, { signal });
}

/** A timer that may be long. */
export function startTimer(onTime: () => void, ms: number): NodeJS.Timeout {
  return setTimeout(onTime, Math.min(ms, kLongestTimerMs));
}
