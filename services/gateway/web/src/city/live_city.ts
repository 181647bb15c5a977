import { Code } from "@connectrpc/connect";
import { follow, wallPause, type Link } from "../api/follow.js";
import type { Clients } from "../api/transport.js";
import type { Market, Street } from "../gen/ridestream/market/v1/market_pb.js";
import { TripState, type Trip } from "../gen/ridestream/trip/v1/trip_pb.js";
import type { AreaOrder, FromAreaWorker, ToAreaWorker } from "./area_worker.js";
import { Cars } from "./cars.js";
import { FigureBook, type Figures } from "./figures.js";
import { fromLatLng, Plane, type LngLat } from "./projection.js";
import { CityClock, toMs } from "./time.js";
import { Trips, type TripFlash } from "./trips.js";

export interface LiveCityOptions {
  readonly clients: Clients;
  readonly baseUrl: string;
  readonly market: Market;
  readonly clock: CityClock;
  readonly makeWorker: () => Worker;
  readonly onLink: (name: "cars" | "trips", link: Link) => void;
}

/** Pause between two frames of WatchArea. */
const kFrameMs = 500;
/** Streets end at the bounds; cars may be a little outside. */
const kMarginE7 = 200_000;
/** What happened before the page was opened: so many pages of 200 trips are read. */
const kHistoryPages = 5;
/** Flashes that wait to be shown. */
const kMaxFlashes = 400;

/** One market as it is now: its cars and trips, followed live. Follows from `start` to `stop`. */
export class LiveCity {
  readonly plane: Plane;
  readonly middle: LngLat;
  readonly cars = new Cars();
  readonly trips: Trips;
  /** Ended trips from before the page was opened. */
  history: readonly Trip[] = [];
  /** What has just happened, with the page's time in seconds; the map takes and forgets them. */
  flashes: { readonly flash: TripFlash; readonly since: number }[] = [];
  private readonly book = new FigureBook();
  private readonly worker: Worker;
  private running = new AbortController();

  constructor(private readonly options: LiveCityOptions) {
    const southWest = fromLatLng(options.market.southWest ?? { latE7: 0, lngE7: 0 });
    const northEast = fromLatLng(options.market.northEast ?? { latE7: 0, lngE7: 0 });
    this.middle = [(southWest[0] + northEast[0]) / 2, (southWest[1] + northEast[1]) / 2];
    this.plane = new Plane(this.middle);
    this.trips = new Trips((event, trip, isLive) => {
      options.clock.atLeast(toMs(event.at));
      this.book.onTrip(trip, event.previousState, toMs(event.at), isLive);
      if (isLive && event.previousState !== trip.state) this.flash(trip);
    });
    this.worker = options.makeWorker();
    this.worker.onmessage = ({ data }: MessageEvent<FromAreaWorker>) => {
      if (data.kind === "link") options.onLink("cars", data.link);
      else this.cars.apply(data.batch, performance.now() / 1000);
    };
  }

  start(): void {
    this.running = new AbortController();
    const { signal } = this.running;
    this.tellWorker({ kind: "watch", order: this.areaOrder() });
    void this.followTrips(signal);
    void this.pollStats(signal);
    void this.readHistory(signal);
  }

  stop(): void {
    this.running.abort();
    this.tellWorker({ kind: "pause" });
  }

  figures(): Figures {
    return this.book.make(this.cars, this.trips, this.options.clock.now());
  }

  /** All streets, in one piece. */
  async readStreets(signal: AbortSignal): Promise<Street[]> {
    const streets: Street[] = [];
    const { market } = this.options.market;
    for await (const part of this.options.clients.market.getStreets({ market }, { signal })) {
      streets.push(...part.streets);
    }
    return streets;
  }

  private followTrips(signal: AbortSignal): Promise<void> {
    const { clients, market, onLink } = this.options;
    const { trips } = this;
    return follow({
      open: (streamSignal) =>
        clients.trip.followTrips(
          {
            markets: [market.market],
            start:
              trips.lastSequence > 0n
                ? { case: "afterSequence", value: trips.lastSequence }
                : { case: "oldestOpen", value: true },
          },
          { signal: streamSignal },
        ),
      onMessage: (message) => trips.apply(message),
      onLink: (link) => onLink("trips", link),
      recover: (error) => {
        // The log isn't the one we know: the service was given another folder.
        if (error.code !== Code.OutOfRange) return false;
        trips.clear();
        return true;
      },
      signal,
    });
  }

  private async pollStats(signal: AbortSignal): Promise<void> {
    const { location, dispatch } = this.options.clients;
    const { market } = this.options.market;
    const options = { signal, timeoutMs: 1000 };
    while (!signal.aborted) {
      // The streams say that the connection is lost; a figure that didn't come stays what it was.
      await Promise.allSettled([
        location
          .getIndexStats({ market }, options)
          .then((stats) => this.book.onIndexStats(stats.applied, performance.now())),
        dispatch.getOfferStats({ market }, options).then((stats) => this.book.onOfferStats(stats)),
      ]);
      await wallPause(1000, signal);
    }
  }

  private async readHistory(signal: AbortSignal): Promise<void> {
    const { trip } = this.options.clients;
    const { market } = this.options.market;
    const trips: Trip[] = [];
    let pageToken = "";
    try {
      for (let page = 0; page < kHistoryPages; ++page) {
        const answer = await trip.listTrips(
          { market, pageSize: 200, pageToken },
          { signal, timeoutMs: 5000 },
        );
        trips.push(...answer.trips.filter((each) => each.endedAt));
        pageToken = answer.nextPageToken;
        if (!pageToken) break;
      }
    } catch {
      // The map of demand then begins with what it sees itself.
    }
    if (!signal.aborted) this.history = trips;
  }

  private flash(trip: Trip): void {
    const kind = flashOf(trip.state);
    if (!kind) return;
    this.flashes.push({ flash: { kind, trip }, since: performance.now() / 1000 });
    if (this.flashes.length > kMaxFlashes) this.flashes.shift();
  }

  private areaOrder(): AreaOrder {
    const { southWest, northEast, market } = this.options.market;
    const moved = (place: { latE7: number; lngE7: number } | undefined, by: number) => ({
      latE7: (place?.latE7 ?? 0) + by,
      lngE7: (place?.lngE7 ?? 0) + by,
    });
    return {
      baseUrl: this.options.baseUrl,
      market,
      middle: this.middle,
      southWest: moved(southWest, -kMarginE7),
      northEast: moved(northEast, kMarginE7),
      intervalMs: kFrameMs,
    };
  }

  private tellWorker(message: ToAreaWorker): void {
    this.worker.postMessage(message);
  }
}

function flashOf(state: TripState): TripFlash["kind"] | null {
  switch (state) {
    case TripState.ABOARD:
      return "boarded";
    case TripState.COMPLETED:
      return "served";
    case TripState.UNSERVED:
      return "unserved";
    case TripState.CANCELLED:
      return "cancelled";
    default:
      return null;
  }
}
