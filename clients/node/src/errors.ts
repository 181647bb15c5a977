import { type ServiceError, status as Code } from "@grpc/grpc-js";

export { Code };

/** The base class of every error that this package throws on purpose. */
export class RidestreamError extends Error {
  constructor(message: string) {
    super(message);
    this.name = new.target.name;
  }
}

/** A status that a retry doesn't fix, or that persisted until patience ended. */
export class StatusError extends RidestreamError {
  constructor(
    readonly code: Code,
    /** The message of the status, without its code. */
    readonly details: string,
    /** Pause before a retry that the service requested. */
    readonly retryAfterMs?: number,
    /** Market and host:port that the caller must use instead; empty if none. */
    readonly market = "",
    readonly address = "",
  ) {
    super(`${Code[code]}: ${details}`);
  }
}

/** An argument that the service would refuse; thrown before anything is sent. */
export class InvalidArgument extends StatusError {
  constructor(details: string) {
    super(Code.INVALID_ARGUMENT, details);
  }
}

/** A newer stream of the same driver, probably on another device, replaced this one. */
export class Fenced extends StatusError {}

/** The service violated the protocol. */
export class ProtocolError extends RidestreamError {}

/** The service rejected a driver's command. The newest plan shows the current state. */
export class CommandRejected extends RidestreamError {
  constructor(
    readonly code: Code,
    /** The service's message, for people. */
    readonly details: string,
  ) {
    super(`${Code[code]}: ${details}`);
  }
}

/** The driver was closed before a command took effect. */
export class DriverStopped extends RidestreamError {}

/** Returns the status code with this number, or FAILED_PRECONDITION for an unknown one. */
export function codeOf(number: number): Code {
  return number in Code ? number : Code.FAILED_PRECONDITION;
}

/** Converts a call's error, with the details in its trailing metadata. */
export function statusOf(error: ServiceError): StatusError {
  // grpc-js omits the metadata if the call never reached a server.
  const metadata = error.metadata as ServiceError["metadata"] | undefined;
  const text = (key: string): string => metadata?.get(key)[0]?.toString() ?? "";
  const pause = text("retry-after-ms");
  const retryAfterMs = /^[0-9]{1,9}$/.test(pause) ? Number(pause) : undefined;
  const Kind = error.code === Code.ABORTED ? Fenced : StatusError;
  const [market, address] = [text("ridestream-market"), text("ridestream-address")];
  return new Kind(error.code, error.details, retryAfterMs, market, address);
}

const kFaults = new Set([Code.INTERNAL, Code.UNKNOWN, Code.DATA_LOSS, Code.UNIMPLEMENTED]);

/** Number of consecutive faults of the service after which the client gives up. */
export const kMaxFaults = 5;

/** Whether this is a fault of the service or of a proxy. */
export function isFault(error: StatusError): boolean {
  return kFaults.has(error.code);
}
