import { type ServiceError, status as Code } from "@grpc/grpc-js";

export { Code };

/** The base of every error that this package raises on purpose. */
export class RidestreamError extends Error {
  constructor(message: string) {
    super(message);
    this.name = new.target.name;
  }
}

/** A status that trying again doesn't mend, or that was still there when patience ended. */
export class StatusError extends RidestreamError {
  constructor(
    readonly code: Code,
    /** The words of the status, without its code. */
    readonly details: string,
    /** The pause that the service asked for. */
    readonly retryAfterMs?: number,
    /** The market, and the host:port, that the caller has to go to instead; empty: none. */
    readonly market = "",
    readonly address = "",
  ) {
    super(`${Code[code]}: ${details}`);
  }
}

/** A value that the service would refuse; raised before anything is sent. */
export class InvalidArgument extends StatusError {
  constructor(details: string) {
    super(Code.INVALID_ARGUMENT, details);
  }
}

/** A newer stream of the same driver took over: another device drives. */
export class Fenced extends StatusError {}

/** The service sent something that the protocol forbids. */
export class ProtocolError extends RidestreamError {}

/** The service couldn't carry a driver's command out. The newest plan says what holds. */
export class CommandRejected extends RidestreamError {
  constructor(
    readonly code: Code,
    /** The service's words, for people. */
    readonly details: string,
  ) {
    super(`${Code[code]}: ${details}`);
  }
}

/** The driver was closed before a command had its effect. */
export class DriverStopped extends RidestreamError {}

/** The status code of that number. One that doesn't exist is FAILED_PRECONDITION. */
export function codeOf(number: number): Code {
  return number in Code ? number : Code.FAILED_PRECONDITION;
}

/** The call's error, with what its trailing metadata say. */
export function statusOf(error: ServiceError): StatusError {
  // grpc-js leaves the metadata out where the call never reached a server.
  const metadata = error.metadata as ServiceError["metadata"] | undefined;
  const text = (key: string): string => metadata?.get(key)[0]?.toString() ?? "";
  const pause = text("retry-after-ms");
  const retryAfterMs = /^[0-9]{1,9}$/.test(pause) ? Number(pause) : undefined;
  const Kind = error.code === Code.ABORTED ? Fenced : StatusError;
  const [market, address] = [text("ridestream-market"), text("ridestream-address")];
  return new Kind(error.code, error.details, retryAfterMs, market, address);
}

const kFaults = new Set([Code.INTERNAL, Code.UNKNOWN, Code.DATA_LOSS, Code.UNIMPLEMENTED]);

/** So many faults of the service in a row are its last. */
export const kMaxFaults = 5;

/** Whether this is a fault of the service, or of what speaks in its place. */
export function isFault(error: StatusError): boolean {
  return kFaults.has(error.code);
}
