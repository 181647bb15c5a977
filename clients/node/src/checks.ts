import { create } from "@bufbuild/protobuf";
import { InvalidArgument } from "./errors.js";
import { type LatLng, LatLngSchema } from "./gen/ridestream/common/v1/common_pb.js";

// Checks arguments before a call is sent, with the same rules and messages as the service.

export const kMaxName = 64;
export const kMaxPlate = 16;
export const kMaxText = 256;
export const kMaxSeats = 8;

const kId = /^[A-Za-z0-9._:-]{1,64}$/;
const kLoneSurrogate = /\p{Surrogate}/u;
const kForbidden = /[\p{Control}\u{2028}-\u{202e}\u{2066}-\u{2069}]/u;

export function checkId(value: string, field: string): void {
  if (kId.test(value)) return;
  const size = Buffer.byteLength(value);
  throw new InvalidArgument(
    `${field}: must be 1 to 64 characters of [A-Za-z0-9._:-], has ${size} bytes`,
  );
}

/** The limit counts Unicode code points. */
export function checkText(value: string, limit: number, field: string): void {
  if (kLoneSurrogate.test(value)) throw new InvalidArgument(`${field}: must be valid UTF-8`);
  const tooLong = `${field}: must have at most ${limit} characters`;
  if (Buffer.byteLength(value) > 4 * limit) throw new InvalidArgument(tooLong);
  const characters = [...value];
  const found = characters.slice(0, limit + 1).find((character) => kForbidden.test(character));
  if (found !== undefined) {
    const code = found.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    throw new InvalidArgument(`${field}: must not contain the control character U+${code}`);
  }
  if (characters.length > limit) throw new InvalidArgument(tooLong);
}

/** Accepts integers only. */
export function checkRange(value: number, low: number, high: number, field: string): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  throw new InvalidArgument(`${field}: must be ${low} to ${high}, is ${value}`);
}

export function checkPlace(value: LatLng, field: string): void {
  checkRange(value.latE7, -900_000_000, 900_000_000, `${field}.lat_e7`);
  checkRange(value.lngE7, -1_800_000_000, 1_800_000_000, `${field}.lng_e7`);
}

/** Returns a place from degrees of latitude and longitude. */
export function place(lat: number, lng: number, field = "place"): LatLng {
  const latLng = create(LatLngSchema, { latE7: e7(lat), lngE7: e7(lng) });
  checkPlace(latLng, field);
  return latLng;
}

function e7(degrees: number): number {
  return Math.round(degrees * 1e7);
}
