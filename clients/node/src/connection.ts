import { setTimeout as pause } from "node:timers/promises";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { ProtocolError } from "./errors.js";

/** The address of the service, and the caller's credentials. */
export interface Connection {
  /** HOST:PORT. */
  readonly address: string;
  /** Returns a valid token. It is called before every call and stream, so it should cache the token. */
  readonly token?: () => string | Promise<string>;
  /** Root certificates in PEM for verifying the service; by default the system's. */
  readonly rootCertificates?: string | Buffer;
  /** For services that run with --insecure: `driver/ID` or `rider/ID`, sent in plaintext instead of a
   * token. */
  readonly insecureCaller?: string;
}

/** The caller's credentials in the metadata. */
export interface Proof {
  readonly key: string;
  readonly value: string;
}

/** Longest delay of a timer: a longer one would fire at once. */
const kLongestTimerMs = 2 ** 31 - 1;
/** Upper bound of a pause that the service requests. */
const kMaxPauseMs = 600_000;

const kOptions = {
  // Detects a half-open connection within 30 s, even if nothing is sent.
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
  // Kept short, because this package has its own backoff, to which the channel's is added.
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1_000,
  "grpc.enable_retries": 0,
  "grpc.service_config_disable_resolution": 1,
  // Clients don't share connections.
  "grpc.use_local_subchannel_pool": 1,
};

/** Returns a client with a separate connection to the address. */
export function openClient(connection: Connection, address = connection.address): Client {
  const { rootCertificates: roots } = connection;
  const channel =
    connection.insecureCaller !== undefined
      ? credentials.createInsecure()
      : credentials.createSsl(roots === undefined ? null : Buffer.from(roots));
  return new Client(address, channel, kOptions);
}

/** Fetches a token. */
export async function prove(connection: Connection): Promise<Proof | undefined> {
  if (connection.insecureCaller !== undefined) {
    return { key: "ridestream-caller", value: connection.insecureCaller };
  }
  if (connection.token === undefined) return undefined;
  return { key: "authorization", value: `Bearer ${await connection.token()}` };
}

/** Returns the metadata of a call. A proxy routes the call by its market. */
export function metadataOf(proof: Proof | undefined, market?: string): Metadata {
  const metadata = new Metadata();
  if (proof !== undefined) metadata.set(proof.key, proof.value);
  if (market !== undefined) metadata.set("ridestream-market", market);
  return metadata;
}

/** Remembers the token that was refused, because only another one is worth a retry. */
export class Refusals {
  private refused: string | undefined;

  /** Records that the credentials were refused. Returns whether a retry may help. */
  isNew(proof: Proof | undefined): boolean {
    if (proof === undefined || proof.value === this.refused) return false;
    this.refused = proof.value;
    return true;
  }
}

const kAddress = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253}):[0-9]{1,5}$/;

/** The address of a driver's next stream: the configured one, or the last one that the service has named. */
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

  /** Sets the next address from the one that the end of a stream named, or "". Without one, the next stream
   * uses the same address if it has sent a Welcome, else the other one. Returns whether this is the first
   * redirect since a Welcome, because two processes may name each other. Throws ProtocolError for an
   * invalid address. */
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

/** Random pauses before retries: up to 0.5 s at first; the limit doubles each time, up to 8 s. */
export class Pauses {
  private limitMs = 0;

  constructor(private readonly random: () => number = Math.random) {}

  reset(): void {
    this.limitMs = 0;
  }

  /** In milliseconds. A pause requested by the service is lengthened by up to a quarter. */
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

/** A timer whose delay may exceed the limit of setTimeout. */
export function startTimer(onTime: () => void, ms: number): NodeJS.Timeout {
  return setTimeout(onTime, Math.min(ms, kLongestTimerMs));
}
