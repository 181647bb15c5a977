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

/** A rider's way from choosing to the receipt. */
export interface RideState {
  readonly pickup: LngLat | null;
  readonly dropoff: LngLat | null;
  readonly partySize: number;
  /** Others may come along, for a lower price and under a promise. */
  readonly shared: boolean;
  /** Kept until it expires or the places change. */
  readonly quote: QuoteTripResponse | null;
  /** From the request on. */
  readonly trip: Trip | null;
  /** Where the car is, while one is on the way. */
  readonly progress: Progress | null;
  /** What is being asked for just now, "" for nothing. */
  readonly busy: string;
  /** What went wrong last. */
  readonly error: string;
  /** Whether the trip is being watched. */
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

/** Being a rider. Each command carries an id, so that it is made once however often it is sent. */
export class Ride {
  readonly state: ReadonlySignal<RideState>;
  private readonly current = signal<RideState>(kAtFirst);
  private watching = new AbortController();
  private readonly living = new AbortController();
  /** Of the quotes asked for, the latest counts. */
  private quotesAsked = 0;

  constructor(private readonly options: RideOptions) {
    this.state = this.current;
  }

  /** Goes on with a trip that is open from before, if there is one. */
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

  /** Asks for the price again: the one at hand has run out. */
  renewQuote(): void {
    void this.askQuote();
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

  /** Forgets a ride that is over (or not yet asked for), for another. */
  reset(): void {
    this.watching.abort();
    this.current.value = kAtFirst;
  }

  private async askQuote(): Promise<void> {
    const { pickup, dropoff, partySize, shared } = this.current.value;
    const asked = ++this.quotesAsked;
    if (!pickup || !dropoff) return this.change({ busy: "" });
    const request = {
      market: this.options.market,
      pickup: toLatLng(pickup),
      dropoff: toLatLng(dropoff),
      partySize,
      shared,
    };
    await this.command("Asking for a price", async (clients) => {
      const quote = await clients.trip.quoteTrip(request, { timeoutMs: 2000 });
      if (asked === this.quotesAsked) this.change({ quote });
    });
  }

  private async command(busy: string, call: (clients: Clients) => Promise<void>): Promise<void> {
    this.change({ busy, error: "" });
    try {
      await retry(() => call(this.options.clients), {
        signal: this.living.signal,
        pause: this.options.pause ?? wallPause,
        onRetry: () => this.change({ busy: `${busy}, once more` }),
      });
    } catch (thrown) {
      this.change({ error: ConnectError.from(thrown).rawMessage });
    } finally {
      this.change({ busy: "" });
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

  /** The answer to a command and what is watched come by two ways: the newer one counts. */
  private take(trip: Trip): void {
    const known = this.current.value.trip;
    if (known && known.tripId === trip.tripId && known.version > trip.version) return;
    this.change({ trip, dropoff: trip.dropoff ? fromLatLng(trip.dropoff) : null });
  }

  private change(part: Partial<RideState>): void {
    this.current.value = { ...this.current.value, ...part };
  }
}
