import type { LiveCity } from "../city/live_city.js";
import type { CityClock } from "../city/time.js";
import type { Market } from "../gen/ridestream/market/v1/market_pb.js";
import type { Drive } from "../driver/drive.js";
import type { CityMap } from "../map/city_map.js";
import type { LiveCanvas } from "../map/live_canvas.js";
import { CarPanel } from "../panels/car_panel.js";
import { CityPanel } from "../panels/city_panel.js";
import { DrivePanel } from "../panels/drive_panel.js";
import { RidePanel } from "../panels/ride_panel.js";
import { TripPanel } from "../panels/trip_panel.js";
import type { Ride } from "../rider/ride.js";
import { selection, tab } from "../state/page.js";
import { SignInLink } from "../widgets/sign_in.js";
import "./app.css";
import { ConnectionBanner } from "./connection_banner.js";
import { Header } from "./header.js";
import { MapView } from "./map_view.js";
import { SidePanel } from "./side_panel.js";

export interface AppProps {
  readonly city: LiveCity;
  readonly clock: CityClock;
  readonly market: Market;
  readonly markets: readonly string[];
  readonly ride: Ride;
  readonly drive: Drive;
  readonly onMapReady: (map: CityMap, canvas: LiveCanvas) => () => void;
}

export function App({ city, clock, market, markets, ride, drive, onMapReady }: AppProps) {
  const selected = selection.value;
  return (
    <div class="app">
      <Header market={market.market} markets={markets} clock={clock} />
      <main class="main">
        <MapView
          city={city}
          clock={clock}
          market={market}
          selectedDriver={() => driverToRing(city, ride, drive)}
          onReady={onMapReady}
        />
        <ConnectionBanner />
        <SidePanel
          city={<CityPanel city={city} clock={clock} />}
          ride={<RidePanel ride={ride} city={city} clock={clock} />}
          drive={<DrivePanel drive={drive} clock={clock} />}
          selected={
            selected?.kind === "car" ? (
              <CarPanel driverId={selected.driverId} city={city} clock={clock} drive={drive} />
            ) : (
              <TripPanel tripId={selected?.tripId ?? ""} city={city} clock={clock} />
            )
          }
        />
      </main>
    </div>
  );
}

/** The driver whose car has the ring: the selected one, the one who serves the user, or the user. */
function driverToRing(city: LiveCity, ride: Ride, drive: Drive): string | null {
  if (tab.value === "ride") return city.carOf(ride.state.value.trip) ?? null;
  if (tab.value === "drive") return drive.state.value.carId;
  return selection.value?.kind === "car" ? selection.value.driverId : null;
}

/** Shown to people who must sign in first. */
export function SignIn() {
  return (
    <div class="starting">
      <h1>Ridestream</h1>
      <p>
        You are not signed in. <SignInLink />
      </p>
    </div>
  );
}

/** Shown until the market is known, and when nothing else can be shown. */
export function Starting({ message }: { readonly message: string }) {
  return (
    <div class="starting">
      <h1>Ridestream</h1>
      <ConnectionBanner hasState={false} />
      <p>{message}</p>
    </div>
  );
}
