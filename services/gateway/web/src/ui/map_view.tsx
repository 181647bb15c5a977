import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { LiveCity } from "../city/live_city.js";
import type { LngLat } from "../city/projection.js";
import { fromLatLng } from "../city/projection.js";
import type { CityClock } from "../city/time.js";
import type { Market } from "../gen/ridestream/market/v1/market_pb.js";
import { CityMap } from "../map/city_map.js";
import { CityScene } from "../map/city_scene.js";
import { LiveCanvas } from "../map/live_canvas.js";
import { kPalettes } from "../map/palette.js";
import { placing, selection, tab, theme } from "./state.js";

interface MapViewProps {
  readonly city: LiveCity;
  readonly clock: CityClock;
  readonly market: Market;
  /** Whose car has the ring. */
  readonly selectedDriver: () => string | null;
  /** The map stands: for what is drawn on it from elsewhere. Returns what ends that. */
  readonly onReady: (map: CityMap, canvas: LiveCanvas) => () => void;
}

/** How near a click must come, in pixels: fingers need more than mice. */
const kReachPx = 18;

/** The map with its cars, and what a click on it means. */
export function MapView({ city, clock, market, selectedDriver, onReady }: MapViewProps) {
  const container = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!container.current) return;
    const bounds = {
      southWest: fromLatLng(market.southWest ?? { latE7: 0, lngE7: 0 }),
      northEast: fromLatLng(market.northEast ?? { latE7: 0, lngE7: 0 }),
    };
    const palette = () => kPalettes[theme.value];
    const map = new CityMap(container.current, palette(), bounds, city.plane);
    const scene = new CityScene(city, clock, {
      camera: () => map.camera(),
      palette,
      selectedDriver,
    });
    const canvas = new LiveCanvas(scene);
    map.addCanvas(canvas.element);
    map.map.on("render", () => canvas.followMap());
    canvas.start();
    const ends = [
      effect(() => map.setPalette(palette())),
      listenToClicks(map, scene, city),
      onReady(map, canvas),
    ];
    return () => {
      for (const end of ends) end();
      canvas.stop();
      map.map.remove();
    };
  }, [city]);
  const asking = placing.value !== null;
  return (
    <div class={asking ? "map-place asking" : "map-place"}>
      <div ref={container} class="map" aria-label={`Map of ${market.market}`} />
      {asking && (
        <p class="map-prompt" role="status">
          {placing.value?.prompt}
          <span class="note">or move the map by the arrow keys and press Enter</span>
        </p>
      )}
      {asking && <div class="crosshair" aria-hidden="true" />}
    </div>
  );
}

function listenToClicks(map: CityMap, scene: CityScene, city: LiveCity): () => void {
  const answer = (place: LngLat) => {
    const asked = placing.value;
    placing.value = null;
    asked?.onPlace(place);
  };
  map.map.on("click", ({ lngLat }) => {
    if (placing.value) return answer([lngLat.lng, lngLat.lat]);
    select(map, scene, city, [lngLat.lng, lngLat.lat]);
  });
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      if (placing.value) placing.value = null;
      else selection.value = null;
    } else if (event.key === "Enter" && event.target === map.map.getCanvas()) {
      if (placing.value) answer(map.center());
      else select(map, scene, city, map.center());
    }
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}

/** The rider or the car that is nearest to a place, if any is near. */
function select(map: CityMap, scene: CityScene, city: LiveCity, [lng, lat]: LngLat): void {
  const reach = kReachPx / map.camera().scale;
  const [x, y] = [city.plane.x(lng), city.plane.y(lat)];
  const car = city.cars.nearest(x, y, reach, performance.now() / 1000);
  const carDistance = car ? Math.hypot(car.x - x, car.y - y) : reach;
  const tripId = scene.nearestRider(x, y, carDistance);
  if (tripId) selection.value = { kind: "trip", tripId };
  else selection.value = car ? { kind: "car", driverId: car.driverId } : null;
  if (selection.value) tab.value = "city";
}
