import { createClient, type Client, type Interceptor, type Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { DispatchService } from "../gen/ridestream/dispatch/v1/dispatch_pb.js";
import { LocationService } from "../gen/ridestream/location/v1/location_pb.js";
import { MarketService } from "../gen/ridestream/market/v1/market_pb.js";
import { TripService } from "../gen/ridestream/trip/v1/trip_pb.js";

/** A caller's identity, such as "rider/r-17" or "viewer/web-map". */
export type Caller = `${"rider" | "driver" | "viewer"}/${string}`;

/** The identity of the map. Riders and drivers may not follow the trips of others. */
export const kViewer: Caller = "viewer/web-map";

export const kCallerHeader = "ridestream-caller";
/** Names the market that a call concerns; the gateway finds its processes by it. */
export const kMarketHeader = "ridestream-market";

function sendHeaders(headers: Readonly<Record<string, string>>): Interceptor {
  return (next) => (request) => {
    for (const [name, value] of Object.entries(headers)) request.header.set(name, value);
    return next(request);
  };
}

/** Without a market, for calls that concern none. */
export function makeTransport(caller: Caller, baseUrl: string, market?: string): Transport {
  const headers = { [kCallerHeader]: caller, ...(market ? { [kMarketHeader]: market } : {}) };
  return createGrpcWebTransport({ baseUrl, interceptors: [sendHeaders(headers)] });
}

export interface Clients {
  readonly market: Client<typeof MarketService>;
  readonly location: Client<typeof LocationService>;
  readonly trip: Client<typeof TripService>;
  readonly dispatch: Client<typeof DispatchService>;
}

export function makeClients(transport: Transport): Clients {
  return {
    market: createClient(MarketService, transport),
    location: createClient(LocationService, transport),
    trip: createClient(TripService, transport),
    dispatch: createClient(DispatchService, transport),
  };
}
