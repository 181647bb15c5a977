// Finds the market, wires the parts together, and starts to follow the city.

import "./app/base.css"; // First: the other styles build on it.

import { effect } from "@preact/signals";
import { render } from "preact";
import { newId, ownId } from "./api/ids.js";
import { retry } from "./api/retry.js";
import { personsId, readSession } from "./api/session.js";
import { BidiSocket } from "./api/bidi_socket.js";
import {
  kCallerHeader,
  kMarketHeader,
  kViewer,
  makeClients,
  makeTransport,
} from "./api/transport.js";
import { LiveCity } from "./city/live_city.js";
import { StreetGuide, streetsToGeoJson } from "./city/streets.js";
import { CityClock, toMs } from "./city/time.js";
import type { Clients } from "./api/transport.js";
import { Drive } from "./driver/drive.js";
import { DispatchService } from "./gen/ridestream/dispatch/v1/dispatch_pb.js";
import type { ListMarketsResponse } from "./gen/ridestream/market/v1/market_pb.js";
import type { CityMap } from "./map/city_map.js";
import type { LiveCanvas } from "./map/live_canvas.js";
import { Ride } from "./rider/ride.js";
import { App, SignIn, Starting } from "./app/app.js";
import { drawDemand, drawRide, drawWay } from "./app/map_layers.js";
import { setLink } from "./state/connection.js";
import { addSample } from "./state/figures.js";
import { streetGuide, theme } from "./state/page.js";
import { second } from "./state/second.js";
import { mayRide, session } from "./state/session.js";

/** A page in the background closes its streams after this time. */
const kHiddenGraceMs = 20_000;
/** Time between two moves of the user's own car. */
const kDriveTickMs = 200;
const kForever = Number.POSITIVE_INFINITY;

declare global {
  interface Window {
    /** For tests and the developer console. */
    ridestream?: { city: LiveCity; canvas?: LiveCanvas; map?: CityMap };
  }
}

const root = document.getElementById("app") as HTMLElement;
const baseUrl = location.origin;
/** The requests that the page needs as long as it lives. */
const living = new AbortController();

effect(() => {
  document.documentElement.dataset.theme = theme.value;
});

async function main(): Promise<void> {
  render(<Starting message="Connecting to the gateway …" />, root);
  session.value = await askGateway(readSession, living.signal);
  if (session.value.signIn && !session.value.isOpen) {
    render(<SignIn />, root);
    return;
  }
  const viewer = makeClients(makeTransport(kViewer, baseUrl));
  const clock = new CityClock();
  const known = await askMarkets(viewer, clock, living.signal);
  const wanted = new URL(location.href).searchParams.get("market");
  const market = known.markets.find((each) => each.market === wanted) ?? known.markets[0];
  if (!market) {
    render(<Starting message="The gateway serves no market." />, root);
    return;
  }
  const city = new LiveCity({
    clients: makeClients(makeTransport(kViewer, baseUrl, market.market)),
    baseUrl,
    market,
    clock,
    makeWorker: () =>
      new Worker(new URL("./city/area_worker.ts", import.meta.url), { type: "module" }),
    onLink: setLink,
  });
  const rider = personsId("rider", session.value) ?? ownId("rider");
  const ride = new Ride({
    clients: makeClients(makeTransport(`rider/${rider}`, baseUrl, market.market)),
    market: market.market,
    newId,
  });
  const drive = new Drive({
    market: market.market,
    rate: () => clock.rate,
    open: (driverId, listener) =>
      new BidiSocket(
        DispatchService.method.drive,
        baseUrl,
        { [kCallerHeader]: `driver/${driverId}`, [kMarketHeader]: market.market },
        listener,
      ),
  });
  window.ridestream = { city };
  const streets = retry(() => city.readStreets(living.signal), {
    signal: living.signal,
    attempts: kForever,
  });
  streets.then((read) => {
    streetGuide.value = new StreetGuide(read);
  }, reportEnd);
  const onMapReady = (map: CityMap, canvas: LiveCanvas) => {
    Object.assign(window.ridestream ?? {}, { map, canvas });
    streets.then(
      (read) => map.setStreets(streetsToGeoJson(read)),
      () => undefined, // Reported above.
    );
    const ends = [drawDemand(map, city, clock), drawWay(map, city, drive), drawRide(map, ride)];
    return () => ends.forEach((end) => end());
  };
  render(
    <App
      city={city}
      clock={clock}
      market={market}
      markets={known.markets.map((each) => each.market)}
      ride={ride}
      drive={drive}
      onMapReady={onMapReady}
    />,
    root,
  );
  followWhileSeen(city, viewer, clock);
  if (mayRide()) ride.resume().catch(() => undefined); // Without an answer, there is no ride to resume.
  setInterval(() => drive.onTime(performance.now()), kDriveTickMs);
  second.subscribe(() => addSample(city.figures()));
}

/** Reads the markets and sets the city's clock. Retries until there is an answer. */
async function askMarkets(
  viewer: Clients,
  clock: CityClock,
  signal: AbortSignal,
): Promise<ListMarketsResponse> {
  const answer = await askGateway(
    () => viewer.market.listMarkets({}, { timeoutMs: 3000, signal }),
    signal,
  );
  setLink("market", { kind: "live" });
  clock.set(toMs(answer.now), answer.clockRate);
  return answer;
}

/** Retries until there is an answer, and reports the lost connection meanwhile. */
function askGateway<T>(ask: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
  return retry(() => ask(signal), {
    signal,
    attempts: kForever,
    onRetry: (error, pauseMs) =>
      setLink("market", {
        kind: "lost",
        error: error.rawMessage,
        retryAtMs: Date.now() + pauseMs,
      }),
  });
}

/** Closes the streams of a hidden page and opens them again when it is shown, because a browser has
 * few connections for one host. */
function followWhileSeen(city: LiveCity, viewer: Clients, clock: CityClock): void {
  let timer = 0;
  let following: AbortController | null = null;
  const onChange = () => {
    clearTimeout(timer);
    if (document.hidden) {
      timer = window.setTimeout(() => {
        city.stop();
        following?.abort();
        following = null;
      }, kHiddenGraceMs);
    } else if (!following) {
      following = new AbortController();
      const { signal } = following;
      city.start();
      askMarkets(viewer, clock, signal).catch((error: unknown) => {
        if (!signal.aborted) reportEnd(error);
      });
    }
  };
  document.addEventListener("visibilitychange", onChange);
  onChange();
}

function reportEnd(error: unknown): void {
  setLink("market", { kind: "ended", error: reasonOf(error) });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

main().catch((error: unknown) => {
  render(<Starting message={reasonOf(error)} />, root);
});
