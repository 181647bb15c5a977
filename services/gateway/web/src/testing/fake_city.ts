import { create } from "@bufbuild/protobuf";
import { createRouterTransport, type ConnectRouter } from "@connectrpc/connect";
import { makeClients } from "../api/transport.js";
import { LiveCity } from "../city/live_city.js";
import { CityClock } from "../city/time.js";
import { MarketSchema } from "../gen/ridestream/market/v1/market_pb.js";
import { kRequestedMs } from "./samples.js";

/** A city at the time of the sample trips whose services answer as `routes` says. It follows nothing
 * by itself: tests apply events and batches. */
export function makeFakeCity(routes: (router: ConnectRouter) => void = () => undefined) {
  const clients = makeClients(createRouterTransport(routes));
  const clock = new CityClock(() => 0);
  clock.set(kRequestedMs + 60_000, 1);
  const city = new LiveCity({
    clients,
    baseUrl: "http://gateway",
    market: create(MarketSchema, {
      market: "city",
      southWest: { latE7: 449_900_000, lngE7: -300_200_000 },
      northEast: { latE7: 450_100_000, lngE7: -299_800_000 },
    }),
    clock,
    makeWorker: () => ({ postMessage: () => undefined }) as unknown as Worker,
    onLink: () => undefined,
  });
  return { city, clients, clock };
}
