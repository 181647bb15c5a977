import { ConnectError } from "@connectrpc/connect";
import { signal, type ReadonlySignal } from "@preact/signals";
import { follow, wallPause, type Link, type Pause } from "../api/follow.js";
import { retry } from "../api/retry.js";
import type { Clients } from "../api/transport.js";
import { isOpen } from "../city/trips.js";
import { fromLatLng, toLatLng, type LngLat } from "../city/projection.js";
import type {
  CancelReason,
  Progress,
  QuoteTripResponse,
  Trip,
} from "../gen/ridestream/trip/v1/trip_pb.js";

/** What a rider sees, from choosing places to the receipt. */
export interface RideState {
  readonly pickup: LngLat | null;
  readonly dropoff: LngLat | null;
  readonly partySize: number;
  /** Other riders may share the car: for a lower price, with a promise about times. */
  readonly shared: boolean;
  /** Null until there is a price for the chosen places. */
  readonly quote: QuoteTripResponse | null;
  /** Set from the request on. */
  readonly trip: Trip | null;
  /** The car's position and ETA while a car is on the way. */
  readonly progress: Progress | null;
  /** The command in progress, for display; "" for none. */
  readonly busy: string;
  /** The last error, for display; "" for none. */
  readonly error: string;
  /** The state of the stream that watches the trip. */
  readonly link: Link;
}

const kAtFirst: RideState = {
  pickup: null,
  dropoff: null,
  partySize: 1,
  shared: false,
  quote: null,
  trip: null,
  progress: null,
  busy: "",
  error: "",
  link: { kind: "connecting" },
};

export interface RideOptions {
  readonly clients: Clients;
  readonly market: string;
  readonly newId: () => string;
  readonly pause?: Pause;
}

/** The rider's side. Each command carries an id, so that a command that is sent again after a lost
 * answer takes effect once. */
export class Ride {
  readonly state: ReadonlySignal<RideState>;
  private readonly current = signal<RideState>(kAtFirst);
  private watching = new AbortController();
  private readonly living = new AbortController();
  /**
   * Aborts the open price request when a newer one replaces it, or when nobody
   * needs the answer.
   */
  private quoting = new AbortController();

  constructor(private readonly options: RideOptions) {
    this.state = this.current;
  }

  /** Watches the rider's open trip, if there is one from an earlier visit. */
  async resume(): Promise<void> {
    const { market, clients } = this.options;
    const { trips } = await retry(() => clients.trip.listTrips({ market, pageSize: 1 }), {
      signal: this.living.signal,
    });
    const trip = trips[0];
    if (trip && isOpen(trip.state) && !this.current.value.trip) this.watch(trip);
  }

  choose(places: Partial<Pick<RideState, "pickup" | "dropoff" | "partySize" | "shared">>): void {
    this.change({ ...places, quote: null, error: "" });
    void this.askQuote();
  }

  /** Asks for a new price for the same places, because the last one expired or was dropped. */
  renewQuote(): void {
    void this.askQuote();
  }

  /** Forgets the price and aborts a question for one. */
  dropQuote(): void {
    this.quoting.abort();
    this.change({ quote: null });
  }

  async request(name: string, note: string): Promise<void> {
    const quote = this.current.value.quote;
    if (!quote) return;
    const requestId = this.options.newId();
    await this.command("Requesting", async (clients) => {
      const answer = await clients.trip.requestTrip(
        { requestId, quoteId: quote.quoteId, riderName: name, note },
        { timeoutMs: 5000 },
      );
      if (answer.trip) this.watch(answer.trip);
    });
  }

  async changeDestination(place: LngLat): Promise<void> {
    const trip = this.current.value.trip;
    if (!trip) return;
    const request = {
      requestId: this.options.newId(),
      tripId: trip.tripId,
      dropoff: toLatLng(place),
    };
    await this.command("Changing the destination", async (clients) => {
      const answer = await clients.trip.changeDestination(request, { timeoutMs: 5000 });
      if (answer.trip) this.take(answer.trip);
    });
  }

  async cancel(reason: CancelReason): Promise<void> {
    const trip = this.current.value.trip;
    if (!trip) return;
    const request = { requestId: this.options.newId(), tripId: trip.tripId, reason };
    await this.command("Cancelling", async (clients) => {
      const answer = await clients.trip.cancelTrip(request, { timeoutMs: 5000 });
      if (answer.trip) this.take(answer.trip);
    });
  }

  /** Starts over after a ride that has ended. */
  reset(): void {
    this.quoting.abort();
    this.watching.abort();
    this.current.value = kAtFirst;
  }

  private async askQuote(): Promise<void> {
    const { pickup, dropoff, partySize, shared } = this.current.value;
    this.quoting.abort();
    this.quoting = new AbortController();
    const { signal } = this.quoting;
    if (!pickup || !dropoff) return this.change({ busy: "" });
    const request = {
      market: this.options.market,
      pickup: toLatLng(pickup),
      dropoff: toLatLng(dropoff),
      partySize,
      shared,
    };
    const ask = async (clients: Clients) => {
      const quote = await clients.trip.quoteTrip(request, { timeoutMs: 2000, signal });
      if (!signal.aborted) this.change({ quote });
    };
    await this.command("Getting a price", ask, signal);
  }

  /** Makes a call until it is answered. An aborted call changes nothing of the state but `busy`. */
  private async command(
    busy: string,
    call: (clients: Clients) => Promise<void>,
    signal = this.living.signal,
  ): Promise<void> {
    this.change({ busy, error: "" });
    const clearBusy = () => this.change({ busy: "" });
    signal.addEventListener("abort", clearBusy, { once: true });
    try {
      await retry(() => call(this.options.clients), {
        signal,
        pause: this.options.pause ?? wallPause,
        onRetry: () => this.change({ busy: `${busy}, retrying` }),
      });
    } catch (thrown) {
      if (!signal.aborted) this.change({ error: ConnectError.from(thrown).rawMessage });
    } finally {
      signal.removeEventListener("abort", clearBusy);
      if (!signal.aborted) clearBusy();
    }
  }

  private watch(trip: Trip): void {
    this.watching.abort();
    this.watching = new AbortController();
    const { signal: abort } = this.watching;
    const { tripId } = trip;
    this.change({
      trip,
      quote: null,
      progress: null,
      pickup: trip.pickup ? fromLatLng(trip.pickup) : null,
      dropoff: trip.dropoff ? fromLatLng(trip.dropoff) : null,
    });
    void follow({
      open: (streamSignal) =>
        this.options.clients.trip.watchTrip({ tripId }, { signal: streamSignal }),
      onMessage: (seen) => {
        if (seen.trip) this.take(seen.trip);
        this.change({ progress: seen.progress ?? null });
      },
      onLink: (link) => this.change({ link }),
      endsWithOk: true,
      signal: abort,
    });
  }

  /** Takes the trip from a command's answer or from the stream, unless a newer version is known. */
  private take(trip: Trip): void {
    const known = this.current.value.trip;
    if (known && known.tripId === trip.tripId && known.version > trip.version) return;
    this.change({ trip, dropoff: trip.dropoff ? fromLatLng(trip.dropoff) : null });
  }

  private change(part: Partial<RideState>): void {
    this.current.value = { ...this.current.value, ...part };
  }
}
