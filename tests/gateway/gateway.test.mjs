// The gateway and the services as real processes, called by third-party clients: connect-web for
// gRPC-Web, improbable's WebSocket transport for the driver, fetch for REST.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { Validator } from "@seriousme/openapi-schema-validator";
import { LocationService, TripService, around, dropoff, pickup } from "./api.mjs";
import { SocketDriver } from "./socket_driver.mjs";
import { startSystem } from "./system.mjs";

const timeout = 60_000;

let system;
let riders;
let operators;
let trips;
let places;

before(async () => {
  system = await startSystem();
  riders = { headers: system.proofOf("rider/r-1") };
  operators = { headers: system.proofOf("operator/ops") };
  const transport = createGrpcWebTransport({ baseUrl: system.url });
  trips = createClient(TripService, transport);
  places = createClient(LocationService, transport);
});

after(async () => system?.stop());

const fails = async (promise, code, words) => {
  const error = ConnectError.from(await promise.then(() => undefined, (reason) => reason));
  assert.equal(error.code, code, error.message);
  assert.match(error.rawMessage, words);
  return error;
};

test("connect-web: a unary call, its metadata and its errors", { timeout }, async () => {
  const request = { market: "city", pickup, dropoff, partySize: 2 };
  let type;
  const quote = await trips.quoteTrip(request, {
    ...riders,
    onHeader: (headers) => (type = headers.get("content-type")),
  });
  assert.equal(type, "application/grpc-web+proto");
  assert.ok(quote.fare.total.amountMinor > 0n);

  await fails(trips.quoteTrip(request), Code.Unauthenticated, /authorization/);
  await fails(trips.quoteTrip({ ...request, partySize: 9 }, riders), Code.InvalidArgument, /party_size/);
  await fails(trips.getTrip({ tripId: "none" }, riders), Code.NotFound, /none/);
});

test("connect-web: a deadline is the service's too", { timeout }, async () => {
  const all = { markets: ["city"], start: { case: "afterSequence", value: 0n } };
  const stream = trips.followTrips(all, { ...operators, timeoutMs: 300 });
  await fails(
    (async () => {
      for await (const event of stream) assert.ok(event.message.case);
    })(),
    Code.DeadlineExceeded,
    /./,
  );
});

test("connect-web: a server stream, until its reader leaves", { timeout }, async () => {
  const leave = new AbortController();
  const frames = places.watchArea(around, { ...operators, signal: leave.signal });
  for await (const frame of frames) {
    assert.equal(frame.snapshot, true, "the first frame replaces all");
    break;
  }
  leave.abort();
});

test("a ride from quote to receipt: a rider by gRPC-Web, a driver by WebSocket", { timeout }, async () => {
  const driver = new SocketDriver(system.url, "d-1", system.proofOf("driver/d-1"));
  await driver.next("welcome");
  const quote = await trips.quoteTrip({ market: "city", pickup, dropoff, partySize: 1 }, riders);
  const { trip } = await trips.requestTrip({ requestId: "first", quoteId: quote.quoteId }, riders);
  const states = [];
  let begun;
  const hasBegun = new Promise((resolve) => (begun = resolve));
  const watching = (async () => {
    for await (const seen of trips.watchTrip({ tripId: trip.tripId }, riders)) {
      if (states.at(-1) !== seen.trip.state) states.push(seen.trip.state);
      begun();
    }
  })();

  const offer = await driver.next("offer");
  await hasBegun; // The watch starts with the state of the moment.
  assert.equal(offer.tripId, trip.tripId);
  driver.send("offerAnswer", { offerId: offer.offerId, accept: true });
  assert.equal((await driver.next("plan")).stops.length, 2);
  for (const action of [1, 2, 3]) {
    driver.send("stopUpdate", { tripId: trip.tripId, action });
    await driver.next("plan");
  }
  await watching;
  assert.deepEqual(states, [1, 2, 3, 4, 5]);
  assert.equal((await driver.finish()).code, 0);
});

test("a driver's stream ends with the service's status", { timeout }, async () => {
  const driver = new SocketDriver(system.url, "d-2", system.proofOf("driver/d-2"));
  await driver.next("welcome");
  driver.send("ack", { sequence: 99n });
  const { code, message } = await driver.ended;
  assert.equal(code, Code.InvalidArgument, message);
  driver.close();
});

test("REST: the same trips, as JSON and as events", { timeout }, async () => {
  const json = { "content-type": "application/json" };
  const headers = { ...json, ...system.proofOf("rider/r-2") };
  const post = async (path, body, more = {}) => {
    const response = await fetch(system.url + path, {
      method: "POST",
      headers: { ...headers, ...more },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  };
  const quote = await post("/v1/markets/city/quotes", { pickup, dropoff, partySize: 1 });
  assert.equal(quote.status, 200, JSON.stringify(quote.body));
  const request = { quoteId: quote.body.quoteId };
  const first = await post("/v1/trips", request, { "idempotency-key": "k-1" });
  const again = await post("/v1/trips", request, { "idempotency-key": "k-1" });
  assert.equal(first.status, 200, JSON.stringify(first.body));
  assert.equal(again.body.trip.tripId, first.body.trip.tripId, "one trip");

  const { tripId } = first.body.trip;
  const cancelled = await post(`/v1/trips/${tripId}:cancel`, {
    requestId: "c",
    reason: "CANCEL_REASON_CHANGED_MIND",
  });
  assert.equal(cancelled.status, 200, JSON.stringify(cancelled.body));
  assert.equal(cancelled.body.trip.state, "TRIP_STATE_CANCELLED");
  const events = await fetch(`${system.url}/v1/trips/${tripId}:watch`, { headers });
  assert.match(await events.text(), /TRIP_STATE_CANCELLED[^]*event: end/);
  const nobody = await fetch(`${system.url}/v1/trips/${tripId}`);
  assert.equal(nobody.status, 401);
  assert.equal((await nobody.json()).code, "UNAUTHENTICATED");
});

test("the OpenAPI document is valid", { timeout }, async () => {
  const document = await (await fetch(`${system.url}/openapi.json`)).json();
  const result = await new Validator().validate(document);
  assert.ok(result.valid, JSON.stringify(result.errors, null, 2));
  assert.ok(Object.keys(document.paths).length >= 10);
});

test("the gateway's metrics are those of docs/metrics.md", { timeout }, async () => {
  const page = readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8");
  const expected = new Map();
  for (const section of page.split("\n## ").slice(1)) {
    if (!/^(Every service|gateway)\n/.test(section)) continue;
    for (const [, name, type] of section.matchAll(/^\| `(\w+)` \| (\w+) \|/gm)) expected.set(name, type);
  }
  const scrape = async () => (await fetch(`http://${system.gateway.metrics}/metrics`)).text();
  await scrape(); // The exporter counts scrapes only after the first.
  const text = await scrape();
  const scraped = new Map([...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, n, t]) => [n, t]));
  assert.deepEqual([...scraped].sort(), [...expected].sort());
  assert.match(text, /^gateway_rpc_calls_total\{.*code="NOT_FOUND",method="GetTrip".*\} 1$/m);
  assert.match(text, /^gateway_rpc_open\{method="FollowTrips"\} 0$/m);
});

test("SIGTERM ends streams with UNAVAILABLE, and the process with 0", { timeout }, async () => {
  const stream = places.watchArea(around, operators)[Symbol.asyncIterator]();
  await stream.next();
  const stopped = system.gateway.stop();
  await fails(
    (async () => {
      for (let next = await stream.next(); !next.done; next = await stream.next());
    })(),
    Code.Unavailable,
    /shutting down/,
  );
  assert.equal(await stopped, 0);
});
