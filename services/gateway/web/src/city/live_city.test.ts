import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createRouterTransport, type ConnectRouter } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Link } from "../api/follow.js";
import { makeClients } from "../api/transport.js";
import { DispatchService } from "../gen/ridestream/dispatch/v1/dispatch_pb.js";
import type { GetDriverResponse } from "../gen/ridestream/dispatch/v1/dispatch_pb.js";
import { LocationService } from "../gen/ridestream/location/v1/location_pb.js";
import { MarketSchema } from "../gen/ridestream/market/v1/market_pb.js";
import { TripService, TripState } from "../gen/ridestream/trip/v1/trip_pb.js";
import type { FollowTripsRequest, FollowTripsResponse } from "../gen/ridestream/trip/v1/trip_pb.js";
import { caughtUp, kRequestedMs, sampleEvent, sampleTrip } from "../testing/samples.js";
import type { FromAreaWorker, ToAreaWorker } from "./area_worker.js";
import { LiveCity } from "./live_city.js";
import { CityClock } from "./time.js";

const { UNSPECIFIED, REQUESTED, ABOARD, COMPLETED } = TripState;

/** The page's end of the worker that follows WatchArea. */
class FakeWorker {
  readonly received: ToAreaWorker[] = [];
  onmessage: ((event: { data: FromAreaWorker }) => void) | null = null;
  postMessage(message: ToAreaWorker) {
    this.received.push(message);
  }
  send(data: FromAreaWorker) {
    this.onmessage?.({ data });
  }
}

/** The services of one market. Each opening of the log gets the next script, then stays open. */
class FakeServices {
  readonly logs: ((request: FollowTripsRequest) => Iterable<FollowTripsResponse>)[] = [];
  readonly opened: FollowTripsRequest[] = [];
  readonly open = new Set<AbortSignal>();
  readonly history = [sampleTrip({ id: "old", state: COMPLETED }), sampleTrip({ id: "open" })];
  getDriver: (signal: AbortSignal) => Promise<{ name: string }> = () =>
    Promise.resolve({ name: "Ada" });

  readonly routes = ({ service }: ConnectRouter) => {
    const { logs, opened, open } = this;
    service(TripService, {
      followTrips: async function* (request, { signal }) {
        opened.push(request);
        open.add(signal);
        yield* logs.shift()?.(request) ?? [];
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        open.delete(signal);
      },
      listTrips: () => ({ trips: this.history }),
    });
    service(LocationService, { getIndexStats: () => ({ applied: 1n }) });
    service(DispatchService, {
      getOfferStats: () => ({}),
      getDriver: (_request, { signal }) => this.getDriver(signal),
    });
  };
}

let services: FakeServices;
let worker: FakeWorker;
let city: LiveCity;
let links: [name: string, kind: Link["kind"]][];

function makeCity(southWest: [number, number], northEast: [number, number]): LiveCity {
  const corner = ([lng, lat]: [number, number]) => ({
    latE7: Math.round(lat * 1e7),
    lngE7: Math.round(lng * 1e7),
  });
  const clock = new CityClock();
  clock.set(kRequestedMs, 1);
  return new LiveCity({
    clients: makeClients(createRouterTransport(services.routes)),
    baseUrl: "http://gateway",
    market: create(MarketSchema, {
      market: "city",
      southWest: corner(southWest),
      northEast: corner(northEast),
    }),
    clock,
    makeWorker: () => worker as unknown as Worker,
    onLink: (name, link) => links.push([name, link.kind]),
  });
}

beforeEach(() => {
  services = new FakeServices();
  worker = new FakeWorker();
  links = [];
  city = makeCity([-30.02, 44.99], [-29.98, 45.01]);
});
afterEach(() => city.stop());

test("takes cars from the worker, and pauses it", () => {
  city.start();
  expect(worker.received[0]).toMatchObject({ kind: "watch", order: { market: "city" } });
  worker.send({ kind: "link", link: { kind: "live" } });
  expect(links).toContainEqual(["cars", "live"]);
  const batch = {
    slots: Uint32Array.of(0),
    places: Float32Array.of(5, 7),
    headings: Uint16Array.of(90),
    states: Uint8Array.of(1),
    freeSeats: Uint8Array.of(4),
    joined: [{ slot: 0, driverId: "d-1" }],
    left: new Uint32Array(),
  };
  worker.send({ kind: "batch", batch });
  expect(city.cars.view(0, 1e9)).toMatchObject({ driverId: "d-1", x: 5, y: 7 });
  expect(city.figures().cars).toBe(1);
  city.stop();
  expect(worker.received.at(-1)).toEqual({ kind: "pause" });
});

test("flashes and counts events that come after it has caught up, not those before", async () => {
  const completed = sampleTrip({ id: "t-2", state: COMPLETED });
  services.logs.push(() => [
    sampleEvent(1, ABOARD, sampleTrip({ id: "t-1", state: COMPLETED })),
    caughtUp(1),
    sampleEvent(2, ABOARD, completed),
  ]);
  city.start();
  await vi.waitFor(() => expect(city.trips.lastSequence).toBe(2n));
  expect(city.flashes.map(({ flash }) => [flash.kind, flash.trip.tripId])).toEqual([
    ["served", "t-2"],
  ]);
  expect(city.figures().served).toBe(1);
});

test("resumes the log after the last event, and stops with the page", async () => {
  services.logs.push(() => [sampleEvent(1, UNSPECIFIED, sampleTrip()), caughtUp(1)]);
  city.start();
  await vi.waitFor(() => expect(city.trips.caughtUp).toBe(true));
  city.stop();
  await vi.waitFor(() => expect(services.open.size).toBe(0));
  city.start();
  await vi.waitFor(() => expect(services.opened).toHaveLength(2));
  expect(services.opened[0]?.start).toEqual({ case: "oldestOpen", value: true });
  expect(services.opened[1]?.start).toEqual({ case: "afterSequence", value: 1n });
});

test("reads another log from its start when the service doesn't know the last event", async () => {
  services.logs.push(
    () => [sampleEvent(7, UNSPECIFIED, sampleTrip({ id: "of-the-old-log" })), caughtUp(7)],
    () => {
      throw new ConnectError("no such event", Code.OutOfRange);
    },
    () => [sampleEvent(1, UNSPECIFIED, sampleTrip({ id: "of-the-new-log" })), caughtUp(1)],
  );
  city.start();
  await vi.waitFor(() => expect(city.trips.get("of-the-old-log")).toBeDefined());
  city.stop();
  city.start();
  await vi.waitFor(() => expect(city.trips.get("of-the-new-log")).toBeDefined());
  expect(city.trips.get("of-the-old-log")).toBeUndefined();
  expect(services.opened.at(-1)?.start.case).toBe("oldestOpen");
});

test("keeps the ended trips of the history", async () => {
  city.start();
  await vi.waitFor(() => expect(city.history.map((trip) => trip.tripId)).toEqual(["old"]));
});

test("an event later than the city's clock sets the clock forward", async () => {
  const atMs = kRequestedMs + 3_600_000;
  const event = sampleEvent(1, UNSPECIFIED, sampleTrip({ state: REQUESTED }));
  if (event.message.case === "event") event.message.value.at = timestampFromMs(atMs);
  services.logs.push(() => [event]);
  city.start();
  await vi.waitFor(() => expect(city.figures().longestWaitS).toBeGreaterThanOrEqual(3600));
});

test("passes on what dispatch says about a driver", async () => {
  const closed = new AbortController();
  const answer = await new Promise<GetDriverResponse | null>((resolve) => {
    void city.followDriver("d-1", closed.signal, resolve);
  });
  closed.abort();
  expect(answer?.name).toBe("Ada");
});

test("aborts a driver's question that nobody waits for any more", async () => {
  const closed = new AbortController();
  const onAnswer = vi.fn();
  const asked = vi.fn();
  services.getDriver = (signal) =>
    new Promise((_, reject) => {
      asked();
      signal.addEventListener("abort", () => reject(new ConnectError("aborted", Code.Canceled)));
    });
  const following = city.followDriver("d-1", closed.signal, onAnswer);
  await vi.waitFor(() => expect(asked).toHaveBeenCalled());
  closed.abort();
  await following;
  expect(onAnswer).not.toHaveBeenCalled();
});

test("reports a driver that dispatch doesn't know", async () => {
  const closed = new AbortController();
  services.getDriver = () => Promise.reject(new ConnectError("no such driver", Code.NotFound));
  const answer = await new Promise((resolve) => {
    void city.followDriver("d-1", closed.signal, resolve);
  });
  closed.abort();
  expect(answer).toBeNull();
});

test.each([
  {
    name: "across the 180th meridian",
    southWest: [179.9, -17],
    northEast: [-179.9, -16.8],
    middle: 180,
  },
  { name: "east of it", southWest: [-179.99, -17], northEast: [-179.9, -16.8], middle: -179.945 },
  { name: "far north", southWest: [15, 78.1], northEast: [16, 78.3], middle: 15.5 },
] as const)("watches an area with a margin: $name", ({ southWest, northEast, middle }) => {
  city = makeCity([...southWest], [...northEast]);
  expect(Math.abs(city.middle[0])).toBeCloseTo(Math.abs(middle), 6);
  city.start();
  const [message] = worker.received;
  if (message?.kind !== "watch") throw new Error("nothing is watched");
  const { order } = message;
  const eastE7 = (from: number, to: number) => (((to - from) % 3.6e9) + 3.6e9) % 3.6e9;
  // Each side has about 2 km more than the market, and the area is not the rest of the earth.
  const metres = (e7: number) => (e7 / 1e7) * 111_195 * Math.cos((northEast[1] * Math.PI) / 180);
  const west = metres(eastE7(order.southWest.lngE7, Math.round(southWest[0] * 1e7)));
  const east = metres(eastE7(Math.round(northEast[0] * 1e7), order.northEast.lngE7));
  expect(west).toBeGreaterThan(1_900);
  expect(west).toBeLessThan(2_100);
  expect(east).toBeCloseTo(west, 0);
  for (const { lngE7 } of [order.southWest, order.northEast]) {
    expect(Math.abs(lngE7)).toBeLessThanOrEqual(1.8e9);
  }
});
