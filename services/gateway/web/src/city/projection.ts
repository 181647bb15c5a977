import type { LatLng } from "../gen/ridestream/common/v1/common_pb.js";

/** Longitude and latitude in degrees, in the order that maps use. A longitude may lie outside of
 * -180 to 180, so that a line across the 180th meridian is continuous; `toLatLng` wraps it. */
export type LngLat = [lng: number, lat: number];

export function fromLatLng(place: Pick<LatLng, "latE7" | "lngE7">): LngLat {
  return [place.lngE7 / 1e7, place.latE7 / 1e7];
}

export function toLatLng([lng, lat]: LngLat): { latE7: number; lngE7: number } {
  return { latE7: Math.round(lat * 1e7), lngE7: Math.round(lngNear(lng, 0) * 1e7) };
}

/** The longitude of the same meridian that is at most 180 degrees from `around`. */
export function lngNear(lng: number, around: number): number {
  if (Math.abs(lng - around) <= 180) return lng;
  return lng - 360 * Math.round((lng - around) / 360);
}

/** A rectangle. Its north-east corner's longitude is at least its south-west corner's. */
export interface Bounds {
  readonly southWest: LngLat;
  readonly northEast: LngLat;
}

/** The rectangle between two corners. It crosses the 180th meridian when the south-west corner's
 * longitude is the greater one. */
export function boundsOf(
  southWest: Pick<LatLng, "latE7" | "lngE7"> | undefined,
  northEast: Pick<LatLng, "latE7" | "lngE7"> | undefined,
): Bounds {
  const [west, south] = fromLatLng(southWest ?? { latE7: 0, lngE7: 0 });
  const [east, north] = fromLatLng(northEast ?? { latE7: 0, lngE7: 0 });
  return { southWest: [west, south], northEast: [east < west ? east + 360 : east, north] };
}

export function middleOf({ southWest, northEast }: Bounds): LngLat {
  const lng = (southWest[0] + northEast[0]) / 2;
  return [lngNear(lng, 0), (southWest[1] + northEast[1]) / 2];
}

/** The rectangle with a margin on each side, at most the whole earth. */
export function widened({ southWest, northEast }: Bounds, marginM: number): Bounds {
  const lat = (marginM / kEarthRadiusM) * kDegrees;
  const [south, north] = [Math.max(-90, southWest[1] - lat), Math.min(90, northEast[1] + lat)];
  const shortest = Math.cos(Math.max(Math.abs(south), Math.abs(north)) / kDegrees);
  const lng = lat / Math.max(shortest, 1e-6);
  if (northEast[0] - southWest[0] + 2 * lng >= 360) {
    return { southWest: [-180, south], northEast: [180, north] };
  }
  return { southWest: [southWest[0] - lng, south], northEast: [northEast[0] + lng, north] };
}

const kDegrees = 180 / Math.PI;
const kEarthRadiusM = 6_371_008.8;
/** Web Mercator is a square that ends at this latitude. */
const kMaxLat = 85.051129;

/** Web Mercator, 0 to 1 from west to east and from north to south. */
function mercator([lng, lat]: LngLat): [number, number] {
  const sine = Math.sin(Math.max(-kMaxLat, Math.min(kMaxLat, lat)) / kDegrees);
  return [lng / 360 + 0.5, 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)];
}

/** Planar units in a circumference of the earth: about 1.2 m each at the equator. */
export const kUnits = 2 ** 25;

/** A city's plane: Mercator around its middle, so near 0 that 32-bit floats keep centimetres. Each
 * place is at most half the earth away from the middle, so the plane is continuous across the 180th
 * meridian. */
export class Plane {
  /** Planar units in a metre near the middle: they grow towards the poles. */
  readonly unitsPerM: number;
  private readonly originY: number;

  constructor(private readonly middle: LngLat) {
    this.originY = mercator(middle)[1];
    const lat = Math.min(kMaxLat, Math.abs(middle[1]));
    const circumferenceM = 2 * Math.PI * kEarthRadiusM * Math.cos(lat / kDegrees);
    this.unitsPerM = kUnits / circumferenceM;
  }

  x(lng: number): number {
    return ((lngNear(lng, this.middle[0]) - this.middle[0]) / 360) * kUnits;
  }

  /** Grows southwards. */
  y(lat: number): number {
    return (mercator([0, lat])[1] - this.originY) * kUnits;
  }

  lngLat(x: number, y: number): LngLat {
    const lng = this.middle[0] + (x / kUnits) * 360;
    const mercatorY = y / kUnits + this.originY;
    return [lng, Math.atan(Math.sinh(Math.PI * (1 - 2 * mercatorY))) * kDegrees];
  }
}

/** Metres between two places (haversine). */
export function distanceM(a: LngLat, b: LngLat): number {
  const [fromLat, toLat] = [a[1] / kDegrees, b[1] / kDegrees];
  const north = Math.sin((toLat - fromLat) / 2);
  const east = Math.sin((b[0] - a[0]) / kDegrees / 2);
  const h = north * north + Math.cos(fromLat) * Math.cos(toLat) * east * east;
  return 2 * kEarthRadiusM * Math.asin(Math.sqrt(Math.min(1, h)));
}
