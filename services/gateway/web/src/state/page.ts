import { signal } from "@preact/signals";
import type { LngLat } from "../city/projection.js";
import { StreetGuide } from "../city/streets.js";
import type { GetDriverResponse } from "../gen/ridestream/dispatch/v1/dispatch_pb.js";
import type { Theme } from "../map/palette.js";

const kThemeKey = "ridestream-theme";

/** Names the panel beside the map. */
export type Tab = "city" | "ride" | "drive";
export type Selection =
  | { readonly kind: "car"; readonly driverId: string }
  | { readonly kind: "trip"; readonly tripId: string };

/** A question for a place. While it is set, the next click on the map answers it. */
export interface Placing {
  readonly prompt: string;
  readonly onPlace: (place: LngLat) => void;
}

export const tab = signal<Tab>("city");
export const selection = signal<Selection | null>(null);
export const placing = signal<Placing | null>(null);
export const showDemand = signal(false);
/** Number of places that the map of unserved demand shows. */
export const demandPlaces = signal(0);
export const theme = signal<Theme>(initialTheme());
/** Dispatch's last answer about the driver of the selected car; `answer` is null when dispatch does
 * not know the driver. */
export const watchedDriver = signal<{
  readonly driverId: string;
  readonly answer: GetDriverResponse | null;
} | null>(null);
export const streetGuide = signal(new StreetGuide([]));

/** The theme chosen in this browser before, else the system's preference. */
function initialTheme(): Theme {
  const chosen = globalThis.localStorage?.getItem(kThemeKey);
  if (chosen === "dark" || chosen === "light") return chosen;
  return globalThis.matchMedia?.("(prefers-color-scheme: light)").matches ? "light" : "dark";
}

export function toggleTheme(): void {
  theme.value = theme.value === "dark" ? "light" : "dark";
  localStorage.setItem(kThemeKey, theme.value);
}
