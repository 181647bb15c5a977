import { Code, ConnectError } from "@connectrpc/connect";
import { effect } from "@preact/signals";
import maplibregl from "maplibre-gl";
import { demandToGeoJson } from "../city/demand.js";
import type { LiveCity } from "../city/live_city.js";
import { distanceM, fromLatLng, type LngLat } from "../city/projection.js";
import { decodeLine } from "../city/streets.js";
import type { CityClock } from "../city/time.js";
import type { Clients } from "../api/transport.js";
import type { Drive } from "../driver/drive.js";
import {
  StopKind,
  type GetDriverResponse,
  type Offer,
  type Plan,
} from "../gen/ridestream/dispatch/v1/dispatch_pb.js";
import type { Trip } from "../gen/ridestream/trip/v1/trip_pb.js";
import type { CityMap } from "../map/city_map.js";
import type { Ride } from "../rider/ride.js";
import {
  demandPlaces,
  placing,
  second,
  selection,
  showDemand,
  tab,
  watchedDriver,
} from "./state.js";

/** Draws unserved demand while it is asked for. Returns what ends it. */
export function drawDemand(map: CityMap, city: LiveCity, clock: CityClock): () => void {
  return effect(() => {
    map.showDemand(showDemand.value);
    if (!showDemand.value || second.value % 2 !== 0) return;
    const trips = [...city.trips.open.values(), ...city.trips.ended.values(), ...city.history];
    const demand = demandToGeoJson(trips, clock.now());
    map.setData("demand", demand);
    demandPlaces.value = demand.features.length;
  });
}

/** Draws the way of whom one looks at: the own car's, the selected car's, or where the selected trip
 * begins and ends. */
export function drawWay(map: CityMap, city: LiveCity, drive: Drive): () => void {
  return effect(() => {
    const { route, stops } = wayToDraw(city, drive);
    if (route.length > 1) map.setData("route", lineToGeoJson(route));
    else map.clearData("route");
    if (stops.length > 0) map.setData("stops", stopsToGeoJson(stops));
    else map.clearData("stops");
  });
}

interface Way {
  readonly route: readonly LngLat[];
  readonly stops: readonly { readonly kind: "pickup" | "dropoff"; readonly place: LngLat }[];
}

function wayToDraw(city: LiveCity, drive: Drive): Way {
  const selected = selection.value;
  if (tab.value === "drive") {
    const { route, plan, offer } = drive.state.value;
    return { route, stops: [...stopsOf(plan), ...endsOf(offer)] };
  }
  if (tab.value !== "city" || !selected) return { route: [], stops: [] };
  second.value;
  if (selected.kind === "car") {
    const known = watchedDriver.value;
    const plan = known?.driverId === selected.driverId ? known.answer?.plan : undefined;
    const slot = city.cars.slotOf(selected.driverId);
    const car = slot === undefined ? undefined : city.cars.view(slot, performance.now() / 1000);
    const line = plan?.route && plan.stops.length > 0 ? decodeLine(plan.route) : [];
    return {
      route: car ? restOf(line, city.plane.lngLat(car.x, car.y)) : line,
      stops: stopsOf(plan),
    };
  }
  return { route: [], stops: endsOf(city.trips.get(selected.tripId)) };
}

/** Where a trip, or what is offered, begins and ends. */
function endsOf(trip: Trip | Offer | null | undefined): Way["stops"] {
  if (!trip?.pickup || !trip.dropoff) return [];
  return [
    { kind: "pickup", place: fromLatLng(trip.pickup) },
    { kind: "dropoff", place: fromLatLng(trip.dropoff) },
  ];
}

function stopsOf(plan: Plan | null | undefined): Way["stops"] {
  return (plan?.stops ?? []).flatMap((stop) => {
    const kind = stop.kind === StopKind.PICK_UP ? ("pickup" as const) : ("dropoff" as const);
    return stop.place ? [{ kind, place: fromLatLng(stop.place) }] : [];
  });
}

/** What of a route lies before a car: from the point that is nearest to it. */
export function restOf(line: readonly LngLat[], car: LngLat): LngLat[] {
  let nearest = 0;
  line.forEach((point, i) => {
    if (distanceM(point, car) < distanceM(line[nearest] as LngLat, car)) nearest = i;
  });
  return line.length > 0 ? [car, ...line.slice(nearest + 1)] : [];
}

function lineToGeoJson(coordinates: readonly LngLat[]): GeoJSON.Feature {
  return {
    type: "Feature",
    properties: {},
    geometry: { type: "LineString", coordinates: [...coordinates] },
  };
}

function stopsToGeoJson(stops: Way["stops"]): GeoJSON.FeatureCollection {
  return {
    type: "FeatureCollection",
    features: stops.map(({ kind, place }) => ({
      type: "Feature",
      properties: { kind },
      geometry: { type: "Point", coordinates: place },
    })),
  };
}

/** Asks dispatch once a second about the selected car's driver. */
export function watchDriver(clients: Clients): () => void {
  return effect(() => {
    const selected = selection.value;
    second.value;
    if (selected?.kind !== "car") {
      watchedDriver.value = null;
      return;
    }
    const { driverId } = selected;
    const show = (answer: GetDriverResponse | null) => {
      const now = selection.peek();
      if (now?.kind === "car" && now.driverId === driverId)
        watchedDriver.value = { driverId, answer };
    };
    clients.dispatch.getDriver({ driverId }, { timeoutMs: 1000 }).then(show, (error: unknown) => {
      // Of a driver who left there is nothing to tell; else what was told last stands.
      if (ConnectError.from(error).code === Code.NotFound) show(null);
    });
  });
}

/** Moves the map once for each ride, when a car is found: so that it and its way here are seen. Not
 * from under somebody who is about to click a place. */
function showWhoComes(map: CityMap, ride: Ride): () => void {
  let shownTrip = "";
  return effect(() => {
    const { trip, progress, pickup } = ride.state.value;
    const car = progress?.driverPosition;
    if (!trip || !car || !pickup || trip.tripId === shownTrip || tab.value !== "ride") return;
    if (placing.value) return;
    shownTrip = trip.tripId;
    const bounds = new maplibregl.LngLatBounds(pickup, pickup).extend(fromLatLng(car));
    map.map.fitBounds(bounds, { padding: 120, maxZoom: 15, duration: 900 });
  });
}

/** Marks the rider's own two places, and shows who comes. */
export function drawRide(map: CityMap, ride: Ride): () => void {
  const marker = (className: string, text: string) => {
    const element = document.createElement("div");
    element.className = `pin ${className}`;
    element.textContent = text;
    return new maplibregl.Marker({ element, anchor: "bottom" });
  };
  const markers = { pickup: marker("pin-pickup", "A"), dropoff: marker("pin-dropoff", "B") };
  const endMarkers = effect(() => {
    const state = ride.state.value;
    for (const which of ["pickup", "dropoff"] as const) {
      const place = tab.value === "ride" ? state[which] : null;
      if (place) markers[which].setLngLat(place).addTo(map.map);
      else markers[which].remove();
    }
  });
  const endFit = showWhoComes(map, ride);
  return () => {
    endMarkers();
    endFit();
    markers.pickup.remove();
    markers.dropoff.remove();
  };
}
