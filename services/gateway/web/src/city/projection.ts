import type { LatLng } from "../gen/ridestream/common/v1/common_pb.js";

/** Longitude and latitude in degrees, in the order in which maps have it. */
export type LngLat = [lng: number, lat: number];

export function fromLatLng(place: Pick<LatLng, "latE7" | "lngE7">): LngLat {
  return [place.lngE7 / 1e7, place.latE7 / 1e7];
}

export function toLatLng(place: LngLat): { latE7: number; lngE7: number } {
  return { latE7: Math.round(place[1] * 1e7), lngE7: Math.round(place[0] * 1e7) };
}

/** Web Mercator, 0 to 1 from west to east and from north to south. */
export function mercator([lng, lat]: LngLat): [number, number] {
  const sine = Math.sin((lat * Math.PI) / 180);
  return [lng / 360 + 0.5, 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)];
}

/** Planar units in a circumference of the earth: about 1.2 m each at the equator. */
export const kUnits = 2 ** 25;

/** A city's plane: Mercator around its middle, so near 0 that 32-bit floats keep centimetres. */
export class Plane {
  private readonly origin: readonly [number, number];

  constructor(middle: LngLat) {
    this.origin = mercator(middle);
  }

  x(lng: number): number {
    return (lng / 360 + 0.5 - this.origin[0]) * kUnits;
  }

  /** Grows southwards. */
  y(lat: number): number {
    return (mercator([0, lat])[1] - this.origin[1]) * kUnits;
  }

  lngLat(x: number, y: number): LngLat {
    const lng = (x / kUnits + this.origin[0] - 0.5) * 360;
    const mercatorY = y / kUnits + this.origin[1];
    return [lng, (Math.atan(Math.sinh(Math.PI * (1 - 2 * mercatorY))) * 180) / Math.PI];
  }
}

const kEarthRadiusM = 6_371_008.8;

/** Metres between two places of one city (equirectangular). */
export function distanceM(a: LngLat, b: LngLat): number {
  const east = ((b[0] - a[0]) * Math.PI * Math.cos(((a[1] + b[1]) * Math.PI) / 360)) / 180;
  return kEarthRadiusM * Math.hypot(east, ((b[1] - a[1]) * Math.PI) / 180);
}
