import { effect, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { LiveCity } from "../city/live_city.js";
import type { LngLat } from "../city/projection.js";
import type { CityClock } from "../city/time.js";
import type { Market } from "../gen/ridestream/market/v1/market_pb.js";
import { CityMap } from "../map/city_map.js";
import { CityScene } from "../map/city_scene.js";
import { LiveCanvas } from "../map/live_canvas.js";
import { kPalettes } from "../map/palette.js";
import { placing, selection, tab, theme } from "../state/page.js";
import { Name, visibleText } from "../widgets/name.js";
import "./map_view.css";

interface MapViewProps {
  readonly city: LiveCity;
  readonly clock: CityClock;
  readonly market: Market;
  /** The driver whose car has the ring. */
  readonly selectedDriver: () => string | null;
  /** Adds layers to the new map. Returns a function that removes them. */
  readonly onReady: (map: CityMap, canvas: LiveCanvas) => () => void;
}

/** Reach of a click in pixels: fingers need more than mice. */
const kReachPx = 18;

/** The map with its cars, and the meaning of a click on it. Where the browser can't draw a map, the
 * reason is shown in its place, and the panels still work. */
export function MapView({ city, clock, market, selectedDriver, onReady }: MapViewProps) {
  const container = useRef<HTMLDivElement>(null);
  const failure = useSignal("");
  useEffect(() => {
    if (!container.current) return;
    try {
      return showMap(container.current, { city, clock, market, selectedDriver, onReady });
    } catch (error) {
      container.current.replaceChildren();
      failure.value = error instanceof Error ? error.message : String(error);
    }
  }, [city]);
  const asking = placing.value !== null;
  return (
    <div class={asking ? "map-place asking" : "map-place"}>
      <div ref={container} class="map" aria-label={`Map of ${visibleText(market.market)}`} />
      {failure.value && (
        <p class="map-failure" role="alert">
          <strong>This browser can't show the map.</strong>
          <Name of={failure.value} />
          <span class="note">The panels work without it: choose places by street name.</span>
        </p>
      )}
      {asking && !failure.value && (
        <>
          <p class="map-prompt" role="status">
            {placing.value?.prompt}
            <span class="note">or move the map with the arrow keys and press Enter</span>
          </p>
          <div class="crosshair" aria-hidden="true" />
        </>
      )}
    </div>
  );
}

/** Returns a function that removes the map. */
function showMap(container: HTMLElement, props: MapViewProps): () => void {
  const { city, clock, selectedDriver, onReady } = props;
  const palette = () => kPalettes[theme.value];
  const scene = new CityScene(city, clock, { camera: () => map.camera(), palette, selectedDriver });
  const canvas = new LiveCanvas(scene);
  const map = new CityMap(container, palette(), city.bounds, city.plane);
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

/** Selects the rider or the car nearest to a place, or nothing if none is within reach. */
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
