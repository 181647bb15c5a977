import type { Route } from "../gen/ridestream/common/v1/common_pb.js";
import type { Street } from "../gen/ridestream/market/v1/market_pb.js";
import type { LngLat } from "./projection.js";

/** Decodes a course of differences, as streets and routes have it. */
export function decodeLine(line: Pick<Route, "latE7" | "lngE7">): LngLat[] {
  let lat = 0;
  let lng = 0;
  return line.latE7.map((step, i) => {
    lat += step;
    lng += line.lngE7[i] ?? 0;
    return [lng / 1e7, lat / 1e7];
  });
}

/** How a street is drawn: 0 for small ones, 1 for boulevards, 2 for motorways. */
export function streetClass(speedKmh: number): 0 | 1 | 2 {
  return speedKmh < 45 ? 0 : speedKmh < 65 ? 1 : 2;
}

export function streetsToGeoJson(streets: readonly Street[]): GeoJSON.FeatureCollection {
  return {
    type: "FeatureCollection",
    features: streets.map((street) => ({
      type: "Feature",
      properties: { name: street.name, class: streetClass(street.speedKmh) },
      geometry: { type: "LineString", coordinates: decodeLine(street) },
    })),
  };
}

/** A place to choose by name: the middle of the longest line that bears it. */
export interface NamedStreet {
  readonly name: string;
  readonly middle: LngLat;
}

export function namedStreets(streets: readonly Street[]): NamedStreet[] {
  const longest = new Map<string, Street>();
  for (const street of streets) {
    if (!street.name) continue;
    const known = longest.get(street.name);
    if (!known || street.latE7.length > known.latE7.length) longest.set(street.name, street);
  }
  const collator = new Intl.Collator("en", { numeric: true });
  return [...longest.values()]
    .map((street) => {
      const line = decodeLine(street);
      return { name: street.name, middle: line[Math.floor(line.length / 2)] as LngLat };
    })
    .sort((a, b) => collator.compare(a.name, b.name));
}
