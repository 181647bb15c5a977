// Executes the commands of the conformance run with this library; see tests/conformance/README.md.
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { type JsonValue, type MessageShape, toJson } from "@bufbuild/protobuf";
import {
  Code,
  CommandRejected,
  type Connection,
  Driver,
  DriverStopped,
  type Event,
  place,
  ProtocolError,
  Rider,
  StatusError,
} from "@ridestream/client";
import {
  OfferEndedSchema,
  OfferSchema,
  PlanSchema,
  RejectedSchema,
  WaitingPlaceSchema,
} from "@ridestream/client/dispatch";
import {
  QuoteTripResponseSchema,
  TripSchema,
  WatchTripResponseSchema,
} from "@ridestream/client/trip";

/** The fields of all operations; each operation uses some of them. */
interface Request {
  readonly id: number;
  readonly op: string;
  readonly handle: string;
  readonly address: string;
  readonly roots: string;
  readonly token_file: string;
  readonly market: string;
  readonly seats: number;
  readonly name: string;
  readonly place: [number, number];
  readonly command: string;
  readonly target: string;
  readonly on: boolean;
  readonly patience_s: number;
  readonly pickup: [number, number];
  readonly dropoff: [number, number];
  readonly party_size: number;
  readonly quote_id: string;
  readonly note: string;
  readonly request_id: string;
  readonly trip_id: string;
  readonly watch: string;
}

/** A driver whose events can be left unread for a while. */
interface Reader {
  readonly driver: Driver;
  reads: boolean;
  resume: () => void;
}

const drivers = new Map<string, Reader>();
const riders = new Map<string, Rider>();

function write(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function writeEvent(handle: string, event: string, data: JsonValue): void {
  write({ handle, event, data });
}

function failureOf(error: unknown): { kind: string; code?: string; message: string } {
  if (error instanceof StatusError) {
    return { kind: "status", code: Code[error.code], message: error.details };
  }
  if (error instanceof CommandRejected) {
    return { kind: "rejected", code: Code[error.code], message: error.details };
  }
  if (error instanceof ProtocolError) return { kind: "protocol", message: error.message };
  if (error instanceof DriverStopped) return { kind: "stopped", message: error.message };
  return { kind: "bug", message: error instanceof Error ? String(error.stack) : String(error) };
}

function connectionOf({ address, roots, token_file }: Request): Connection {
  return {
    address,
    token: async () => (await readFile(token_file, "utf8")).trim(),
    rootCertificates: readFileSync(roots),
  };
}

function writeDriverEvent(handle: string, event: Event): void {
  switch (event.case) {
    case "connected":
      return writeEvent(handle, "connected", { resumed: event.value.resumed });
    case "disconnected":
      return writeEvent(handle, "disconnected", { code: Code[event.value.error.code] });
    case "offer":
      return writeEvent(handle, "offer", toJson(OfferSchema, event.value));
    case "offerEnded":
      return writeEvent(handle, "offer_ended", toJson(OfferEndedSchema, event.value));
    case "plan":
      return writeEvent(handle, "plan", toJson(PlanSchema, event.value));
    case "rejected":
      return writeEvent(handle, "rejected", toJson(RejectedSchema, event.value));
    case "waitingPlace":
      return writeEvent(handle, "waiting_place", toJson(WaitingPlaceSchema, event.value));
  }
}

/** Runs `events` and reports their end, as an event of the handle. */
async function follow(handle: string, events: () => Promise<void>): Promise<void> {
  try {
    await events();
    writeEvent(handle, "ended", null);
  } catch (error) {
    writeEvent(handle, "ended", failureOf(error));
  }
}

async function followDriver(handle: string, reader: Reader): Promise<void> {
  for await (const event of reader.driver) {
    writeDriverEvent(handle, event);
    if (!reader.reads) await new Promise<void>((resolve) => (reader.resume = resolve));
  }
}

async function followTrip(handle: string, rider: Rider, tripId: string): Promise<void> {
  for await (const update of rider.watch(tripId)) {
    writeEvent(handle, "trip", toJson(WatchTripResponseSchema, update));
  }
}

async function command(driver: Driver, name: string, target: string): Promise<JsonValue> {
  switch (name) {
    case "accept":
      return toJson(OfferEndedSchema, await driver.accept({ offerId: target }));
    case "decline":
      return toJson(OfferEndedSchema, await driver.decline({ offerId: target }));
    case "arrived":
      return toJson(PlanSchema, await driver.arrived(target));
    case "picked_up":
      return toJson(PlanSchema, await driver.pickedUp(target));
    case "dropped_off":
      return toJson(PlanSchema, await driver.droppedOff(target));
    case "give_up":
      return toJson(PlanSchema, await driver.giveUp(target));
    case "end_shift":
      await driver.endShift();
      return null;
    default:
      throw new Error(`command ${name} is unknown`);
  }
}

async function performDriver(request: Request): Promise<JsonValue> {
  const { op, handle } = request;
  if (op === "driver_open") {
    const { market, seats, name } = request;
    const driver = new Driver(connectionOf(request), { market, seats, name });
    const reader = { driver, reads: true, resume: () => undefined };
    drivers.set(handle, reader);
    void follow(handle, () => followDriver(handle, reader));
    return null;
  }
  const reader = find(drivers, handle);
  switch (op) {
    case "driver_move":
      reader.driver.moveTo(...request.place);
      return null;
    case "driver_command":
      return command(reader.driver, request.command, request.target);
    case "driver_read":
      reader.reads = request.on;
      if (request.on) reader.resume();
      return null;
    case "driver_close":
      await reader.driver.close();
      return null;
    default:
      throw new Error(`op ${op} is unknown`);
  }
}

async function performRider(request: Request): Promise<JsonValue> {
  const { op, handle, trip_id: tripId, request_id: requestId } = request;
  if (op === "rider_open") {
    const patienceMs = request.patience_s * 1_000;
    riders.set(handle, new Rider(connectionOf(request), { patienceMs }));
    return null;
  }
  const rider = find(riders, handle);
  const trip = async (answer: Promise<MessageShape<typeof TripSchema>>): Promise<JsonValue> =>
    toJson(TripSchema, await answer);
  switch (op) {
    case "rider_close":
      rider.close();
      return null;
    case "quote": {
      const { market, party_size: partySize } = request;
      const places = [
        place(...request.pickup, "pickup"),
        place(...request.dropoff, "dropoff"),
      ] as const;
      const quote = await rider.quote(market, ...places, { partySize });
      return toJson(QuoteTripResponseSchema, quote);
    }
    case "request": {
      const { name, note } = request;
      return trip(rider.request(request.quote_id, { name, note, requestId }));
    }
    case "change":
      return trip(
        rider.changeDestination(tripId, place(...request.dropoff, "dropoff"), { requestId }),
      );
    case "cancel":
      return trip(rider.cancel(tripId, { requestId }));
    case "get":
      return trip(rider.get(tripId));
    case "watch":
      void follow(request.watch, () => followTrip(request.watch, rider, tripId));
      return null;
    default:
      throw new Error(`op ${op} is unknown`);
  }
}

function find<T>(handles: ReadonlyMap<string, T>, handle: string): T {
  const found = handles.get(handle);
  if (found === undefined) throw new Error(`handle ${handle} is unknown`);
  return found;
}

async function answer(request: Request): Promise<void> {
  try {
    const perform = request.op.startsWith("driver_") ? performDriver : performRider;
    write({ id: request.id, result: await perform(request) });
  } catch (error) {
    write({ id: request.id, error: failureOf(error) });
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  void answer(JSON.parse(line) as Request);
}
await Promise.all([...drivers.values()].map(({ driver }) => driver.close()));
for (const rider of riders.values()) rider.close();
