import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createRouterTransport, type ServiceImpl } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { makeClients } from "../api/transport.js";
import type { LngLat } from "../city/projection.js";
import {
  CancelReason,
  type QuoteTripRequest,
  TripService,
  TripState,
  WatchTripResponseSchema,
} from "../gen/ridestream/trip/v1/trip_pb.js";
import { kRequestedMs, sampleTrip } from "../testing/samples.js";
import { Ride } from "./ride.js";

const kHere: LngLat = [-30, 45];
const kThere: LngLat = [-30.01, 45.01];

function rideWith(service: Partial<ServiceImpl<typeof TripService>>): Ride {
  const transport = createRouterTransport(({ service: add }) => add(TripService, service));
  let ids = 0;
  return new Ride({
    clients: makeClients(transport),
    market: "city",
    newId: () => `id-${++ids}`,
    pause: () => Promise.resolve(),
  });
}

const quoteTrip = (_request: QuoteTripRequest) => ({
  quoteId: "q-1",
  fare: { total: { currencyCode: "USD", amountMinor: 1240n } },
  expiresAt: timestampFromMs(kRequestedMs),
});

test("asks for a price when both places are known, and again after a change", async () => {
  const quote = vi.fn(quoteTrip);
  const ride = rideWith({ quoteTrip: quote });
  ride.choose({ pickup: kHere });
  expect(quote).not.toHaveBeenCalled();
  ride.choose({ dropoff: kThere });
  await vi.waitFor(() => expect(ride.state.value.quote?.quoteId).toBe("q-1"));
  expect(quote.mock.calls.at(-1)?.[0]).toMatchObject({ partySize: 1, shared: false });
  ride.choose({ partySize: 3, shared: true });
  expect(ride.state.value.quote).toBeNull();
  await vi.waitFor(() => expect(ride.state.value.quote).not.toBeNull());
  expect(quote.mock.calls).toHaveLength(2);
  expect(quote.mock.calls.at(-1)?.[0]).toMatchObject({ partySize: 3, shared: true });
});

test("renews an expired price for the same places", async () => {
  let quotes = 0;
  const quote = vi.fn((request: QuoteTripRequest) => ({
    ...quoteTrip(request),
    quoteId: `q-${++quotes}`,
  }));
  const ride = rideWith({ quoteTrip: quote });
  ride.choose({ pickup: kHere, dropoff: kThere });
  await vi.waitFor(() => expect(ride.state.value.quote?.quoteId).toBe("q-1"));
  ride.renewQuote();
  await vi.waitFor(() => expect(ride.state.value.quote?.quoteId).toBe("q-2"));
  const [first, second] = quote.mock.calls.map(([request]) => request);
  expect(second).toEqual(first);
});

test("an error about a place is shown, and there is no price", async () => {
  const ride = rideWith({
    quoteTrip: () => {
      throw new ConnectError("dropoff: no street is near", Code.InvalidArgument);
    },
  });
  ride.choose({ pickup: kHere, dropoff: kThere });
  await vi.waitFor(() => expect(ride.state.value.error).toBe("dropoff: no street is near"));
  expect(ride.state.value).toMatchObject({ quote: null, busy: "" });
});

test("sends a request again with the same id after a lost answer", async () => {
  const requestTrip = vi
    .fn()
    .mockImplementationOnce(() => {
      throw new ConnectError("the connection broke", Code.Unavailable);
    })
    .mockReturnValue({ trip: sampleTrip() });
  const ride = rideWith({ quoteTrip, requestTrip, watchTrip: async function* () {} });
  ride.choose({ pickup: kHere, dropoff: kThere });
  await vi.waitFor(() => expect(ride.state.value.quote).not.toBeNull());
  await ride.request("Grace", "");
  expect(ride.state.value.trip?.tripId).toBe("t-1");
  const ids = requestTrip.mock.calls.map(
    ([request]) => (request as { requestId: string }).requestId,
  );
  expect(ids).toEqual(["id-1", "id-1"]);
});

test("watches a ride until its receipt", async () => {
  const states = [TripState.ASSIGNED, TripState.ABOARD, TripState.COMPLETED];
  const ride = rideWith({
    listTrips: () => ({ trips: [sampleTrip()] }),
    watchTrip: async function* () {
      for (const [i, state] of states.entries()) {
        const trip = sampleTrip({ state, version: i + 2 });
        const progress = state === TripState.COMPLETED ? {} : { progress: { etaS: 60 - i } };
        yield create(WatchTripResponseSchema, { trip, ...progress });
      }
    },
  });
  await ride.resume();
  await vi.waitFor(() => expect(ride.state.value.link.kind).toBe("ended"));
  expect(ride.state.value).toMatchObject({ progress: null });
  expect(ride.state.value.trip?.state).toBe(TripState.COMPLETED);
});

test("the newest version of a trip wins, from an answer or from the stream", async () => {
  const ride = rideWith({
    listTrips: () => ({ trips: [sampleTrip({ version: 1 })] }),
    watchTrip: async function* (_request, context) {
      yield create(WatchTripResponseSchema, {
        trip: sampleTrip({ state: TripState.CANCELLED, version: 3 }),
      });
      await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
    },
    cancelTrip: () => ({ trip: sampleTrip({ state: TripState.REQUESTED, version: 2 }) }),
  });
  await ride.resume();
  await vi.waitFor(() => expect(ride.state.value.trip?.version).toBe(3n));
  await ride.cancel(CancelReason.CHANGED_MIND);
  expect(ride.state.value.trip?.state).toBe(TripState.CANCELLED);
  ride.reset();
  expect(ride.state.value.trip).toBeNull();
});

/** Answers each price request when the test says so. */
function makeSlowQuotes() {
  const questions: { partySize: number; signal: AbortSignal; answer: () => void }[] = [];
  const ride = rideWith({
    quoteTrip: (request, { signal }) =>
      new Promise((resolve) => {
        const answer = () => resolve({ ...quoteTrip(request), quoteId: `q-${request.partySize}` });
        questions.push({ partySize: request.partySize, signal, answer });
      }),
  });
  const asked = (count: number) => vi.waitFor(() => expect(questions).toHaveLength(count));
  return { ride, questions, asked };
}

test("a newer question for a price aborts the older one and stays busy until its own answer", async () => {
  const { ride, questions, asked } = makeSlowQuotes();
  ride.choose({ pickup: kHere, dropoff: kThere });
  await asked(1);
  ride.choose({ partySize: 2 });
  await asked(2);
  expect(questions.map(({ signal }) => signal.aborted)).toEqual([true, false]);
  questions[0]?.answer();
  await Promise.resolve();
  expect(ride.state.value).toMatchObject({ busy: "Getting a price", quote: null, error: "" });
  questions[1]?.answer();
  await vi.waitFor(() => expect(ride.state.value.quote?.quoteId).toBe("q-2"));
  expect(ride.state.value).toMatchObject({ busy: "", error: "" });
});

test("dropping the price aborts the question for it, without an error", async () => {
  const { ride, questions, asked } = makeSlowQuotes();
  ride.choose({ pickup: kHere, dropoff: kThere });
  await asked(1);
  ride.dropQuote();
  await vi.waitFor(() => expect(questions[0]?.signal.aborted).toBe(true));
  expect(ride.state.value).toMatchObject({ busy: "", quote: null, error: "", pickup: kHere });
});
