import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerWritableStream,
} from "@grpc/grpc-js";
import { type Connection, Driver, Fenced, Rider, StatusError } from "./index.js";
import { Code } from "./errors.js";
import {
  type DriveRequest,
  DriveRequestSchema,
  DriveResponseSchema,
} from "./gen/ridestream/dispatch/v1/dispatch_pb.js";

// Tests the library against a server in this process: cases that the conformance run doesn't cover.

type DriveCall = ServerDuplexStream<DriveRequest, Buffer>;
type WatchCall = ServerWritableStream<Buffer, Buffer>;

const bytes = (message: Buffer): Buffer => message;

interface Answers {
  readonly drive?: (call: DriveCall, streams: number) => void;
  readonly watch?: (call: WatchCall) => void;
}

async function serve(t: TestContext, { drive, watch }: Answers): Promise<Connection> {
  const server = new Server();
  let streams = 0;
  server.register(
    "/ridestream.dispatch.v1.DispatchService/Drive",
    (call: DriveCall) => drive?.(call, ++streams),
    bytes,
    (request: Buffer) => fromBinary(DriveRequestSchema, request),
    "bidi",
  );
  server.register(
    "/ridestream.trip.v1.TripService/WatchTrip",
    (call: WatchCall) => watch?.(call),
    bytes,
    bytes,
    "serverStream",
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  t.after(() => server.forceShutdown());
  return { address: `127.0.0.1:${port}`, insecureCaller: "driver/d" };
}

function drive(t: TestContext, connection: Connection): Driver {
  const driver = new Driver(connection, { market: "m", seats: 4 });
  t.after(() => driver.close());
  return driver;
}

function push(call: DriveCall, message: MessageInitShape<typeof DriveResponseSchema>): void {
  call.write(Buffer.from(toBinary(DriveResponseSchema, create(DriveResponseSchema, message))));
}

function welcome(call: DriveCall, epoch: number): void {
  const value = {
    sessionId: "s",
    driverId: "d",
    epoch: BigInt(epoch),
    reportEvery: { seconds: 4n },
    heartbeat: { seconds: 7n },
    clockRate: 1,
  };
  push(call, { message: { case: "welcome", value } });
}

function end(call: DriveCall, code: Code, trailing: Record<string, string> = {}): void {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(trailing)) metadata.set(key, value);
  call.emit("error", Object.assign(new Error(), { code, details: "elsewhere", metadata }));
}

test("a refused driver connects at once to the address that the refusal names", async (t) => {
  const there = await serve(t, { drive: (call, streams) => welcome(call, streams) });
  const refusal = {
    "retry-after-ms": "600000",
    "ridestream-market": "porto",
    "ridestream-address": there.address,
  };
  const here = await serve(t, {
    drive: (call) => end(call, Code.FAILED_PRECONDITION, refusal),
  });
  const cases: string[] = [];
  for await (const event of drive(t, here)) {
    cases.push(event.case);
    if (event.case === "disconnected") {
      const { market, address } = event.value.error;
      assert.deepEqual([market, address], ["porto", there.address]);
      assert.equal(event.value.retryInMs, 0);
    }
    if (event.case === "connected") break;
  }
  assert.deepEqual(cases, ["disconnected", "connected"]);
});

test("a refused driver waits before it retries if the refusal names no address", async (t) => {
  const connection = await serve(t, {
    drive: (call, streams) => {
      if (streams === 1) end(call, Code.FAILED_PRECONDITION, { "retry-after-ms": "20" });
      else welcome(call, streams);
    },
  });
  for await (const event of drive(t, connection)) {
    if (event.case === "disconnected") assert.ok(event.value.retryInMs >= 20);
    if (event.case === "connected") break;
  }
});

test("endShift is sent again after the stream breaks", async (t) => {
  const ends: number[] = [];
  const connection = await serve(t, {
    drive: (call, streams) => {
      welcome(call, streams);
      call.on("data", ({ message }: DriveRequest) => {
        if (message.case !== "endShift") return;
        ends.push(streams);
        if (streams === 1) end(call, Code.UNAVAILABLE);
        else call.end();
      });
    },
  });
  const driver = drive(t, connection);
  await driver.endShift();
  assert.deepEqual(ends, [1, 2]);
});

test("a newer stream of the same driver ends the driver", async (t) => {
  const connection = await serve(t, { drive: (call) => end(call, Code.ABORTED) });
  await assert.rejects(async () => {
    for await (const event of drive(t, connection)) assert.fail(event.case);
  }, Fenced);
});

test("an error of the token source ends the driver", async (t) => {
  const failure = new Error("no token");
  const driver = drive(t, { address: "127.0.0.1:1", token: () => Promise.reject(failure) });
  await assert.rejects(driver.endShift(), failure);
});

test("an abort signal ends a watch that receives no updates", async (t) => {
  const watched = new AbortController();
  const connection = await serve(t, {
    watch: () => watched.abort(new Error("aborted by the test")),
  });
  const rider = new Rider(connection);
  t.after(() => rider.close());
  const { signal } = watched;
  await assert.rejects(async () => {
    for await (const update of rider.watch("t-1", { signal })) assert.fail(update.trip?.tripId);
  }, /aborted by the test/);
});

test("close cancels open calls and refuses new calls", async (t) => {
  let rider: Rider | undefined = undefined;
  const connection = await serve(t, { watch: () => rider?.close() });
  rider = new Rider(connection);
  const isCancelled = (error: unknown): boolean =>
    error instanceof StatusError && error.code === Code.CANCELLED;
  await assert.rejects(rider.watch("t-1").next(), isCancelled);
  await assert.rejects(rider.get("t-1"), isCancelled);
});
