export { place } from "./checks.js";
export type { Connection } from "./connection.js";
export { Driver, type Shift } from "./driver.js";
export {
  Code,
  CommandRejected,
  DriverStopped,
  Fenced,
  InvalidArgument,
  ProtocolError,
  RidestreamError,
  StatusError,
} from "./errors.js";
export { type CallOptions, type CommandOptions, Rider } from "./rider.js";
export type { Connected, Disconnected, Event } from "./session.js";
