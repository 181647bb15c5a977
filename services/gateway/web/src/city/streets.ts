import type { Route } from "../gen/ridestream/common/v1/common_pb.js";
import type { Street } from "../gen/ridestream/market/v1/market_pb.js";
import { distanceM, lngNear, type LngLat } from "./projection.js";

/** Decodes the line of a street or a route: its first point, then the differences from point to
 * point. The line is continuous, also across the 180th meridian. */
export function decodeLine(line: Pick<Route, "latE7" | "lngE7">): LngLat[] {
  let lat = 0;
  let lngE7 = 0;
  let lng: number | undefined;
  return line.latE7.map((step, i) => {
    lat += step;
    lngE7 = (lngE7 + (line.lngE7[i] ?? 0)) | 0; // 32 bits, like the differences.
    lng = lngNear(lngE7 / 1e7, lng ?? 0);
    return [lng, lat / 1e7];
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

/** A street to choose by name: the middle of the longest line with that name. */
export interface NamedStreet {
  readonly name: string;
  readonly middle: LngLat;
}

/** Finds streets by name, and the nearest street of a place. */
export class StreetGuide {
  /** Sorted by name, numbers by value. */
  readonly named: readonly NamedStreet[];
  private readonly lines: readonly { readonly name: string; readonly line: LngLat[] }[];

  constructor(streets: readonly Street[]) {
    this.lines = streets.map((street) => ({ name: street.name, line: decodeLine(street) }));
    const longest = new Map<string, LngLat[]>();
    for (const { name, line } of this.lines) {
      if (name && line.length > (longest.get(name)?.length ?? 0)) longest.set(name, line);
    }
    const collator = new Intl.Collator("en", { numeric: true });
    this.named = [...longest]
      .map(([name, line]) => ({ name, middle: line[Math.floor(line.length / 2)] as LngLat }))
      .sort((a, b) => collator.compare(a.name, b.name));
  }

  /** The name of the street with the corner nearest to a place; "" if it has no name. */
  streetAt(place: LngLat): string {
    return this.nearest(place)?.name ?? "";
  }

  /** The corner nearest to a place; the place itself if there are no streets. */
  cornerAt(place: LngLat): LngLat {
    return this.nearest(place)?.corner ?? place;
  }

  private nearest(place: LngLat): { readonly name: string; readonly corner: LngLat } | undefined {
    let nearest: { readonly name: string; readonly corner: LngLat } | undefined;
    let distance = Infinity;
    for (const { name, line } of this.lines) {
      for (const corner of line) {
        const d = distanceM(corner, place);
        if (d >= distance) continue;
        distance = d;
        nearest = { name, corner };
      }
    }
    return nearest;
  }
}
