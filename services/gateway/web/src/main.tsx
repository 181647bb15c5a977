// Finds the market, puts the parts together, and begins to follow the city.

import { effect } from "@preact/signals";
import { render } from "preact";
import { newId, ownId } from "./api/ids.js";
import { retry } from "./api/retry.js";
import { BidiSocket } from "./api/bidi_socket.js";
import { kCallerHeader, kViewer, makeClients, makeTransport } from "./api/transport.js";
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
import { App, Starting } from "./ui/app.js";
import { drawDemand, drawRide, drawWay, watchDriver } from "./ui/map_extras.js";
import { addSample, second, setLink, streetGuide, theme } from "./ui/state.js";
import "./ui/styles.css";

/** A page in the background is given so long before it lets go of its streams. */
const kHiddenGraceMs = 20_000;
/** So often the own car moves. */
const kDriveTickMs = 200;
const kForever = Number.POSITIVE_INFINITY;

declare global {
  interface Window {
    /** For tests, and for those who look behind: what the page has and how fast it draws. */
    ridestream?: { city: LiveCity; canvas?: LiveCanvas; map?: CityMap };
  }
}

const root = document.getElementById("app") as HTMLElement;
const baseUrl = location.origin;
const living = new AbortController();

effect(() => {
  document.documentElement.dataset.theme = theme.value;
});

async function main(): Promise<void> {
  render(<Starting message="Looking for the city …" />, root);
  const viewer = makeClients(makeTransport(kViewer, baseUrl));
  const clock = new CityClock();
  const known = await askMarkets(viewer, clock);
  const wanted = new URL(location.href).searchParams.get("market");
  const market = known.markets.find((each) => each.market === wanted) ?? known.markets[0];
  if (!market) {
    render(<Starting message="No market is served here." />, root);
    return;
  }
  const city = new LiveCity({
    clients: viewer,
    baseUrl,
    market,
    clock,
    makeWorker: () =>
      new Worker(new URL("./city/area_worker.ts", import.meta.url), { type: "module" }),
    onLink: setLink,
  });
  const ride = new Ride({
    clients: makeClients(makeTransport(`rider/${ownId("rider")}`, baseUrl)),
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
        { [kCallerHeader]: `driver/${driverId}` },
        listener,
      ),
  });
  window.ridestream = { city };
  const onMapReady = (map: CityMap, canvas: LiveCanvas) => {
    Object.assign(window.ridestream ?? {}, { map, canvas });
    void showStreets(city, map);
    const ends = [
      drawDemand(map, city, clock),
      drawWay(map, city, drive),
      drawRide(map, ride),
      watchDriver(viewer),
    ];
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
  ride.resume().catch(() => undefined); // Then there is none to go on with.
  setInterval(() => drive.onTime(performance.now()), kDriveTickMs);
  setInterval(() => {
    second.value += 1;
    addSample(city.figures());
  }, 1000);
}

/** Which markets there are, and the time there; asked for until there is an answer. */
async function askMarkets(viewer: Clients, clock: CityClock): Promise<ListMarketsResponse> {
  const answer = await retry(() => viewer.market.listMarkets({}, { timeoutMs: 3000 }), {
    signal: living.signal,
    attempts: kForever,
    onRetry: (error, pauseMs) =>
      setLink("market", {
        kind: "lost",
        error: error.rawMessage,
        retryAtMs: Date.now() + pauseMs,
      }),
  });
  setLink("market", { kind: "live" });
  clock.set(toMs(answer.now), answer.clockRate);
  return answer;
}

async function showStreets(city: LiveCity, map: CityMap): Promise<void> {
  const streets = await retry(() => city.readStreets(living.signal), {
    signal: living.signal,
    attempts: kForever,
  });
  streetGuide.value = new StreetGuide(streets);
  map.setStreets(streetsToGeoJson(streets));
}

/** A page that nobody sees lets go of its streams, and takes them up when it is seen again: a
 * browser has few connections for one host. */
function followWhileSeen(city: LiveCity, viewer: Clients, clock: CityClock): void {
  let timer = 0;
  let following = false;
  const onChange = () => {
    clearTimeout(timer);
    if (document.hidden) {
      timer = window.setTimeout(() => {
        city.stop();
        following = false;
      }, kHiddenGraceMs);
    } else if (!following) {
      following = true;
      city.start();
      void askMarkets(viewer, clock);
    }
  };
  document.addEventListener("visibilitychange", onChange);
  onChange();
}

main().catch((error: unknown) => {
  render(<Starting message={error instanceof Error ? error.message : String(error)} />, root);
});
