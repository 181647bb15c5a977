import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { kNoSession } from "../api/session.js";
import { Drive } from "../driver/drive.js";
import type { DriveListener, DriveMessage } from "../driver/drive_session.js";
import {
  DispatchService,
  StopAction,
  StopKind,
} from "../gen/ridestream/dispatch/v1/dispatch_pb.js";
import { DriveResponseSchema } from "../gen/ridestream/dispatch/v1/dispatch_pb.js";
import {
  CancellationSchema,
  type CancelReason,
  TripService,
  TripState,
  type Trip,
} from "../gen/ridestream/trip/v1/trip_pb.js";
import { Ride } from "../rider/ride.js";

import { addSample, samples } from "../state/figures.js";
import { placing, selection, showDemand, tab, watchedDriver } from "../state/page.js";
import { session } from "../state/session.js";
import { makeFakeCity } from "../testing/fake_city.js";
import { after, button, click, close, show } from "../testing/render.js";
import { kRequestedMs, sampleEvent, sampleTrip } from "../testing/samples.js";
import { CarPanel } from "./car_panel.js";
import { CityPanel } from "./city_panel.js";
import { DrivePanel } from "./drive_panel.js";
import { RidePanel } from "./ride_panel.js";
import { TripPanel } from "./trip_panel.js";

const { UNSPECIFIED, REQUESTED, ASSIGNED, COMPLETED } = TripState;
/** Overrides the writing direction, ends a line, and rings a bell. */
const kHostileName = "\u202Eecarg\u0007\nX";
const kHostileShown = "ecarg X";

beforeEach(() => {
  tab.value = "city";
  selection.value = placing.value = null;
  showDemand.value = false;
  samples.value = [];
});
afterEach(close);

function named(trip: Trip, name: string): Trip {
  if (trip.passenger) trip.passenger.name = name;
  return trip;
}

test("the city's panel lists riders who wait, the longest first, and recent trips", async () => {
  const { city, clock } = makeFakeCity();
  const root = await show(<CityPanel city={city} clock={clock} />);
  expect(root.textContent).toContain("Nobody is waiting.");
  const later = named(sampleTrip({ id: "b" }), "Later");
  later.requestedAt = timestampFromMs(kRequestedMs + 20_000);
  const ended = named(sampleTrip({ id: "c", state: COMPLETED }), "Ended");
  [later, named(sampleTrip({ id: "a" }), "First"), ended].forEach((trip, i) =>
    city.trips.apply(sampleEvent(i + 1, UNSPECIFIED, trip)),
  );
  await after(() => addSample(city.figures()));
  const rows = await show(<CityPanel city={city} clock={clock} key="again" />).then((shown) =>
    [...shown.querySelectorAll(".row")].map((row) => row.textContent),
  );
  expect(rows).toEqual([
    "Firstwaiting for a driver1:00",
    "Laterwaiting for a driver0:40",
    expect.stringMatching(/^Endedcompleted/),
  ]);
  await after(() => root.querySelector<HTMLButtonElement>(".row")?.click());
  expect(selection.value).toEqual({ kind: "trip", tripId: "a" });
});

test("ages grow each second while the panel is open", async () => {
  vi.useFakeTimers();
  try {
    const { city, clock } = makeFakeCity();
    city.trips.apply(sampleEvent(1, UNSPECIFIED, sampleTrip()));
    const root = await show(<CityPanel city={city} clock={clock} />);
    clock.set(kRequestedMs + 75_000, 1);
    expect(root.textContent).toContain("1:00");
    await after(() => vi.advanceTimersByTime(1000));
    expect(root.textContent).toContain("1:15");
    await close();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test("a name can neither turn the text around it nor break a line", async () => {
  const { city, clock } = makeFakeCity();
  city.trips.apply(sampleEvent(1, UNSPECIFIED, named(sampleTrip(), kHostileName)));
  const row = await show(<CityPanel city={city} clock={clock} />);
  expect(row.querySelector(".row-title bdi")?.textContent).toBe(kHostileShown);
  const panel = await show(<TripPanel tripId="t-1" city={city} clock={clock} />);
  expect(panel.querySelector("h2")?.textContent).toBe(`${kHostileShown}’s ride`);
  const nameless = named(sampleTrip({ id: "t-2" }), "\u200B\u202E \u0000");
  city.trips.apply(sampleEvent(2, UNSPECIFIED, nameless));
  const other = await show(<TripPanel tripId="t-2" city={city} clock={clock} />);
  expect(other.querySelector("h2")?.textContent).toBe("A rider’s ride");
});

test("a trip's panel has its timeline, and leads to its driver's car", async () => {
  const { city, clock } = makeFakeCity();
  city.trips.apply(sampleEvent(1, UNSPECIFIED, sampleTrip(), 0));
  city.trips.apply(sampleEvent(2, REQUESTED, sampleTrip({ state: ASSIGNED, version: 2 }), 30));
  const root = await show(<TripPanel tripId="t-1" city={city} clock={clock} />);
  const titles = [...root.querySelectorAll(".timeline strong")].map((each) => each.textContent);
  expect(titles).toEqual(["Requested", "Driver assigned"]);
  await click("Ada");
  expect(selection.value).toEqual({ kind: "car", driverId: "d-1" });
  const unknown = await show(<TripPanel tripId="none" city={city} clock={clock} />);
  expect(unknown.textContent).toBe("This page has no record of this trip.");
});

test("a trip's panel links to its trace if it was sampled and the gateway names a page for it", async () => {
  const { city, clock } = makeFakeCity();
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const contexts = {
    sampled: `00-${traceId}-b7ad6b7169203331-01`,
    unsampled: `00-${traceId}-b7ad6b7169203331-00`,
    untraced: "",
    hostile: `00-${traceId}/../x-b7ad6b7169203331-01`,
  };
  Object.entries(contexts).forEach(([id, traceparent], i) => {
    const trip = Object.assign(sampleTrip({ id }), { traceparent });
    city.trips.apply(sampleEvent(i + 1, UNSPECIFIED, trip));
  });
  const hrefs = async (tripId: keyof typeof contexts, traceUrl: string | null) => {
    session.value = { ...kNoSession, traceUrl };
    const root = await show(<TripPanel tripId={tripId} city={city} clock={clock} />);
    return [...root.querySelectorAll<HTMLAnchorElement>(".trace-link")].map((each) => each.href);
  };
  try {
    const page = "http://t:16686/trace/{trace_id}";
    expect(await hrefs("sampled", page)).toEqual([`http://t:16686/trace/${traceId}`]);
    expect(await hrefs("sampled", null)).toEqual([]);
    expect(await hrefs("sampled", "javascript:alert('{trace_id}')")).toEqual([]);
    expect(await hrefs("unsampled", page)).toEqual([]);
    expect(await hrefs("untraced", page)).toEqual([]);
    expect(await hrefs("hostile", page)).toEqual([]);
  } finally {
    session.value = kNoSession;
  }
});

test("shows a trip with a state and a reason of a newer service", async () => {
  const { city, clock } = makeFakeCity();
  const trip = sampleTrip({ state: 99 as TripState });
  city.trips.apply(sampleEvent(1, UNSPECIFIED, trip));
  const root = await show(<TripPanel tripId="t-1" city={city} clock={clock} />);
  expect(root.querySelector(".state-line")?.textContent).toBe("unknown");
  const cancelled = sampleTrip({ id: "t-2", state: TripState.CANCELLED });
  cancelled.cancellation = create(CancellationSchema, {
    reason: 99 as CancelReason,
    comment: "in words",
  });
  city.trips.apply(sampleEvent(2, REQUESTED, cancelled));
  const other = await show(<TripPanel tripId="t-2" city={city} clock={clock} />);
  expect(other.querySelector(".timeline li:last-child .note")?.textContent).toBe("in words");
});

test("a car's panel asks about its driver while it is open, and aborts the question on close", async () => {
  const signals = new Map<string, AbortSignal>();
  const { city, clock } = makeFakeCity(({ service }) =>
    service(DispatchService, {
      getDriver: ({ driverId }, { signal }) => {
        signals.set(driverId, signal);
        if (driverId === "d-1") return { name: "Ada", vehicle: { plate: "RS 1" } };
        return new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(new ConnectError("", Code.Canceled)));
        });
      },
    }),
  );
  const drive = new Drive({ market: "city", open: () => openNothing, rate: () => 1 });
  const panel = (driverId: string) => (
    <CarPanel driverId={driverId} city={city} clock={clock} drive={drive} />
  );
  const root = await show(panel("d-1"));
  await vi.waitFor(() => expect(root.querySelector("h2")?.textContent).toBe("Ada"));
  expect(root.textContent).toContain("Currently not on the map.");
  await show(panel("d-2"));
  await vi.waitFor(() => expect(signals.has("d-2")).toBe(true));
  expect(root.querySelector("h2")?.textContent).toBe("Car d-2");
  expect(signals.get("d-2")?.aborted).toBe(false);
  await close();
  await vi.waitFor(() => expect(signals.get("d-2")?.aborted).toBe(true));
  expect(watchedDriver.value).toBeNull();
});

const openNothing = { send: () => undefined, cancel: () => undefined };

test("a rider's panel asks for two places and shows the price; closed, it drops the price", async () => {
  const quoted = vi.fn();
  const { city, clients, clock } = makeFakeCity(({ service }) =>
    service(TripService, {
      quoteTrip: (request) => {
        quoted(request.partySize);
        return {
          quoteId: "q-1",
          fare: { total: { currencyCode: "USD", amountMinor: 1240n }, lengthM: 4000 },
          expiresAt: timestampFromMs(clock.now() + 90_000),
        };
      },
    }),
  );
  const ride = new Ride({ clients, market: "city", newId: () => "id" });
  const root = await show(<RidePanel ride={ride} city={city} clock={clock} />);
  expect(placing.value?.prompt).toBe("Click the map: pick-up");
  expect(button("Request").disabled).toBe(true);
  await after(() => placing.value?.onPlace([-30, 45]));
  expect(placing.value?.prompt).toBe("Click the map: destination");
  await after(() => placing.value?.onPlace([-30.01, 45.01]));
  await vi.waitFor(() => expect(root.textContent).toContain("$12.40"));
  expect(root.textContent).toContain("Price valid for 1:30.");
  expect(button("Request").disabled).toBe(false);
  await close();
  expect(ride.state.value.quote).toBeNull();
  expect(placing.value).toBeNull();
  const again = await show(<RidePanel ride={ride} city={city} clock={clock} />);
  await vi.waitFor(() => expect(again.textContent).toContain("$12.40"));
  expect(quoted).toHaveBeenCalledTimes(2);
});

test("a rider's panel shows an error, and a receipt at the end", async () => {
  const { city, clients, clock } = makeFakeCity(({ service }) =>
    service(TripService, {
      quoteTrip: () => {
        throw new ConnectError("dropoff: no street is near", Code.InvalidArgument);
      },
      listTrips: () => ({ trips: [sampleTrip()] }),
      watchTrip: async function* () {
        yield { trip: sampleTrip({ state: COMPLETED, version: 2 }) };
      },
    }),
  );
  const ride = new Ride({ clients, market: "city", newId: () => "id" });
  const root = await show(<RidePanel ride={ride} city={city} clock={clock} />);
  await after(() => ride.choose({ pickup: [-30, 45], dropoff: [-30, 45] }));
  const alert = () => root.querySelector("[role=alert]")?.textContent;
  await vi.waitFor(() => expect(alert()).toBe("dropoff: no street is near"));
  await ride.resume();
  const total = () => root.querySelector("[data-testid=receipt-total]")?.textContent;
  await vi.waitFor(() => expect(total()).toBe("$12.40"));
  await click("New ride");
  expect(root.querySelector("h2")?.textContent).toBe("Where to?");
});

test("a rider's panel leads to the car under the id that the map knows it by", async () => {
  const { city, clients, clock } = makeFakeCity(({ service }) =>
    service(TripService, {
      listTrips: () => ({ trips: [sampleTrip({ state: ASSIGNED })] }),
      watchTrip: async function* () {
        yield { trip: sampleTrip({ state: ASSIGNED, driverId: "real-id" }) };
      },
    }),
  );
  const ride = new Ride({ clients, market: "city", newId: () => "id" });
  const root = await show(<RidePanel ride={ride} city={city} clock={clock} />);
  await ride.resume();
  await vi.waitFor(() => expect(root.querySelector(".plate")?.textContent).toBe("RS 1"));
  expect(root.querySelector("button.link")).toBeNull();
  const onMap = sampleTrip({ state: ASSIGNED, driverId: "pseudonym" });
  await after(() => city.trips.apply(sampleEvent(1, REQUESTED, onMap)));
  await show(<RidePanel ride={ride} city={city} clock={clock} key="again" />);
  await click("Ada");
  expect(selection.value).toEqual({ kind: "car", driverId: "pseudonym" });
});

test("a car that the user drives is known by the id that the gateway sends", async () => {
  const { city, clock } = makeFakeCity(({ service }) => service(DispatchService, {}));
  let listener: DriveListener | undefined;
  const drive = new Drive({
    market: "city",
    rate: () => 1,
    open: (_driverId, opened) => {
      listener = opened;
      return openNothing;
    },
  });
  drive.start("web-1", [-30, 45], 4, 0);
  const root = await show(
    <CarPanel driverId="pseudonym" city={city} clock={clock} drive={drive} />,
  );
  expect(root.textContent).toContain("Take over this car");
  await after(() => listener?.onHeaders?.(new Map([["ridestream-pseudonym", "pseudonym"]])));
  expect(root.textContent).toContain("This is your car.");
});

test("a driver's panel offers what the next step allows", async () => {
  const { clock } = makeFakeCity();
  const sent: DriveMessage[] = [];
  let listener: DriveListener | undefined;
  const drive = new Drive({
    market: "city",
    rate: () => 1,
    open: (_driverId, opened) => {
      listener = opened;
      return { send: ({ message }) => sent.push(message), cancel: () => undefined };
    },
  });
  let sequence = 0n;
  const push = (message: MessageInitShape<typeof DriveResponseSchema>["message"]) =>
    after(() =>
      listener?.onMessage(
        create(DriveResponseSchema, { sequence: ++sequence, ...(message && { message }) }),
      ),
    );
  const root = await show(<DrivePanel drive={drive} clock={clock} />);
  expect(button("Start driving").disabled).toBe(true);
  await after(() => placing.value?.onPlace([-30, 45]));
  await click("Start driving");
  expect(root.textContent).toContain("Not connected.");
  await push({ case: "welcome", value: { sessionId: "s-1", epoch: 1n } });
  expect(root.textContent).toContain("Waiting for an offer.");

  const fare = { currencyCode: "USD", amountMinor: 883n };
  await push({ case: "offer", value: { offerId: "o-1", fare, partySize: 1, pickupEtaS: 49 } });
  expect(root.querySelector(".offer")?.textContent).toContain("$8.831 rider, 0:49 away");
  await click("Accept");
  expect(sent.at(-1)).toEqual({ case: "offerAnswer", value: { offerId: "o-1", accept: true } });

  await push({ case: "offerEnded", value: { offerId: "o-1", outcome: 1 } });
  const stop = { tripId: "t-1", passenger: { name: kHostileName }, place: { latE7: 450_000_000 } };
  const pickUp = { ...stop, kind: StopKind.PICK_UP };
  await push({ case: "plan", value: { version: 1n, stops: [pickUp] } });
  await click(`I have arrived for ${kHostileShown}`);
  const update = (action: StopAction) => ({ case: "stopUpdate", value: { tripId: "t-1", action } });
  expect(sent.at(-1)).toEqual(update(StopAction.ARRIVED));
  await push({ case: "plan", value: { version: 2n, stops: [{ ...pickUp, arrived: true }] } });
  await click(`${kHostileShown} is aboard`);
  expect(sent.at(-1)).toEqual(update(StopAction.PICKED_UP));
  const dropOff = { ...stop, kind: StopKind.DROP_OFF };
  await push({ case: "plan", value: { version: 3n, stops: [dropOff] } });
  await click(`I have dropped off ${kHostileShown}`);
  expect(sent.at(-1)).toEqual(update(StopAction.DROPPED_OFF));
  await click("Stop driving");
  expect(root.querySelector("h2")?.textContent).toBe("Drive a car");
});
