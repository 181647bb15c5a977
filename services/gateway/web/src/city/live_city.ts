import { Code, ConnectError } from "@connectrpc/connect";
import { follow, wallPause, type Link } from "../api/follow.js";
import type { Clients } from "../api/transport.js";
import type { GetDriverResponse } from "../gen/ridestream/dispatch/v1/dispatch_pb.js";
import type { Market, Street } from "../gen/ridestream/market/v1/market_pb.js";
import { TripState, type Trip } from "../gen/ridestream/trip/v1/trip_pb.js";
import type { AreaOrder, FromAreaWorker, ToAreaWorker } from "./area_worker.js";
import { Cars } from "./cars.js";
import { FigureBook, type Figures } from "./figures.js";
import { boundsOf, middleOf, Plane, toLatLng, widened } from "./projection.js";
import type { Bounds, LngLat } from "./projection.js";
import { toMs, type CityClock } from "./time.js";
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
/**
 * Streets end at the market's bounds, but a car may be a little outside them.
 */
const kMarginM = 2_000;
/** Number of pages of ended trips, each of 200, that are read once. */
const kHistoryPages = 5;
/** Bound of the flashes that wait to be drawn. The oldest is dropped. */
const kMaxFlashes = 400;
/** Pause between two requests about one driver. */
const kDriverPauseMs = 1_000;

/** One market in real time: its cars and trips. Follows the services from `start` to `stop`. */
export class LiveCity {
  readonly bounds: Bounds;
  readonly plane: Plane;
  readonly middle: LngLat;
  readonly cars: Cars;
  readonly trips: Trips;
  /** Trips that ended before the page was opened. */
  history: readonly Trip[] = [];
  /** Events to flash on the map, with the page's time in seconds. The map removes them. */
  flashes: { readonly flash: TripFlash; readonly since: number }[] = [];
  private readonly book = new FigureBook();
  private readonly worker: Worker;
  private running = new AbortController();

  constructor(private readonly options: LiveCityOptions) {
    this.bounds = boundsOf(options.market.southWest, options.market.northEast);
    this.middle = middleOf(this.bounds);
    this.plane = new Plane(this.middle);
    this.cars = new Cars(this.plane.unitsPerM);
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
    this.postToWorker({ kind: "watch", order: this.areaOrder() });
    void this.followTrips(signal);
    void this.pollStats(signal);
    void this.readHistory(signal);
  }

  stop(): void {
    this.running.abort();
    this.postToWorker({ kind: "pause" });
  }

  figures(): Figures {
    return this.book.make(this.cars, this.trips, this.options.clock.now());
  }

  /** The id under which the map knows the car of a rider's trip. The trip itself names the driver
   * by another id, which viewers never learn. */
  carOf(trip: Trip | null): string | undefined {
    return trip ? this.trips.get(trip.tripId)?.driver?.driverId : undefined;
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

  /**
   * Asks dispatch about a driver once a second until `signal`. Reports null
   * when dispatch does not know the driver. After any other error, the last
   * answer remains.
   */
  async followDriver(
    driverId: string,
    signal: AbortSignal,
    onAnswer: (answer: GetDriverResponse | null) => void,
  ): Promise<void> {
    const { dispatch } = this.options.clients;
    while (!signal.aborted) {
      const asked = dispatch.getDriver({ driverId }, { signal, timeoutMs: 1000 });
      const answer = await asked.catch((error: unknown) =>
        ConnectError.from(error).code === Code.NotFound ? null : undefined,
      );
      if (signal.aborted) return;
      if (answer !== undefined) onAnswer(answer);
      await wallPause(kDriverPauseMs, signal);
    }
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
        // The service's log is a different one, with the trips of another
        // folder.
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
      // The streams report a lost connection. Without an answer, a figure keeps its last value.
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
      // The map of demand then starts with the trips that end from now on.
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
    const { southWest, northEast } = widened(this.bounds, kMarginM);
    return {
      baseUrl: this.options.baseUrl,
      market: this.options.market.market,
      middle: this.middle,
      southWest: toLatLng(southWest),
      northEast: toLatLng(northEast),
      intervalMs: kFrameMs,
    };
  }

  private postToWorker(message: ToAreaWorker): void {
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
