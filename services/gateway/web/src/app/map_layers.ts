import { effect } from "@preact/signals";
import maplibregl from "../map/maplibre.js";
import { demandToGeoJson } from "../city/demand.js";
import type { LiveCity } from "../city/live_city.js";
import { distanceM, fromLatLng, lngNear, type LngLat } from "../city/projection.js";
import { decodeLine } from "../city/streets.js";
import type { CityClock } from "../city/time.js";
import type { Drive } from "../driver/drive.js";
import { StopKind, type Offer, type Plan } from "../gen/ridestream/dispatch/v1/dispatch_pb.js";
import type { Trip } from "../gen/ridestream/trip/v1/trip_pb.js";
import type { CityMap } from "../map/city_map.js";
import type { Ride } from "../rider/ride.js";
import { demandPlaces, placing, selection, showDemand, tab, watchedDriver } from "../state/page.js";
import { second } from "../state/second.js";

/** Draws unserved demand while it is switched on. Returns a function that ends this. */
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

/** Draws the route and the stops of the user's own car or of the selected car, or the two ends of the
 * selected trip. Returns a function that ends this. */
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
  void second.value; // The rest of the route shrinks each second.
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

/** The two ends of a trip or of an offer's trip. */
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

/** The rest of a route for a car: from the car to the points after the one nearest to it. */
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

/** Moves the map once for each ride, to show the pick-up and the car that was found. Not while the
 * user is about to click a place. */
function showAssignedCar(map: CityMap, ride: Ride): () => void {
  let shownTrip = "";
  return effect(() => {
    const { trip, progress, pickup } = ride.state.value;
    const car = progress?.driverPosition;
    if (!trip || !car || !pickup || trip.tripId === shownTrip || tab.value !== "ride") return;
    if (placing.value) return;
    shownTrip = trip.tripId;
    const [lng, lat] = fromLatLng(car);
    const bounds = new maplibregl.LngLatBounds(pickup, pickup).extend([
      lngNear(lng, pickup[0]),
      lat,
    ]);
    map.map.fitBounds(bounds, { padding: 120, maxZoom: 15, duration: 900 });
  });
}

/** Marks the rider's two places and shows the car that was found. Returns a function that ends
 * this. */
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
  const endFit = showAssignedCar(map, ride);
  return () => {
    endMarkers();
    endFit();
    markers.pickup.remove();
    markers.dropoff.remove();
  };
}
