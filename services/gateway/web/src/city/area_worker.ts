// Follows WatchArea outside of the page's thread, where decoding thousands of cars twice a second
// would cost frames.

import { follow, type Link } from "../api/follow.js";
import { kViewer, makeClients, makeTransport } from "../api/transport.js";
import { AreaFeed, type AreaBatch } from "./area_feed.js";
import { Plane, type LngLat } from "./projection.js";

export interface AreaOrder {
  readonly baseUrl: string;
  readonly market: string;
  readonly middle: LngLat;
  readonly southWest: { latE7: number; lngE7: number };
  readonly northEast: { latE7: number; lngE7: number };
  readonly intervalMs: number;
}

/** Messages from the page: watch an area instead of the one before, or pause. */
export type ToAreaWorker = { kind: "watch"; order: AreaOrder } | { kind: "pause" };
export type FromAreaWorker = { kind: "batch"; batch: AreaBatch } | { kind: "link"; link: Link };

const scope = self as unknown as DedicatedWorkerGlobalScope;
const post = (message: FromAreaWorker, transfer: Transferable[] = []) =>
  scope.postMessage(message, transfer);

let feed: AreaFeed | null = null;
let feedOf = "";
let running = new AbortController();

scope.onmessage = ({ data }: MessageEvent<ToAreaWorker>) => {
  running.abort();
  if (data.kind === "pause") return;
  running = new AbortController();
  const { order } = data;
  // The slots outlive pauses: the next snapshot is compared with the cars that the page has.
  if (!feed || feedOf !== order.market) feed = new AreaFeed(new Plane(order.middle));
  feedOf = order.market;
  void watch(feed, order, running.signal);
};

function watch(into: AreaFeed, order: AreaOrder, signal: AbortSignal): Promise<void> {
  const { location } = makeClients(makeTransport(kViewer, order.baseUrl, order.market));
  const { market, southWest, northEast, intervalMs } = order;
  return follow({
    open: (streamSignal) =>
      location.watchArea({ market, southWest, northEast, intervalMs }, { signal: streamSignal }),
    onMessage: (frame) => {
      const batch = into.take(frame);
      const arrays = [batch.slots, batch.places, batch.headings, batch.states, batch.freeSeats];
      post({ kind: "batch", batch }, [...arrays.map((array) => array.buffer as ArrayBuffer)]);
    },
    onLink: (link) => post({ kind: "link", link }),
    signal,
  });
}
