import { computed, signal } from "@preact/signals";
import type { Link } from "../api/follow.js";
import type { GetDriverResponse } from "../gen/ridestream/dispatch/v1/dispatch_pb.js";
import { kNoFigures, type Figures } from "../city/figures.js";
import type { LngLat } from "../city/projection.js";
import { StreetGuide } from "../city/streets.js";
import type { Theme } from "../map/palette.js";

const kThemeKey = "ridestream-theme";

/** What the page shows beside the map. */
export type Tab = "city" | "ride" | "drive";
export type Selection =
  | { readonly kind: "car"; readonly driverId: string }
  | { readonly kind: "trip"; readonly tripId: string };

/** While set, the next click on the map (or the choice of a street) is this answer. */
export interface Placing {
  readonly prompt: string;
  readonly onPlace: (place: LngLat) => void;
}

export const tab = signal<Tab>("city");
export const selection = signal<Selection | null>(null);
export const placing = signal<Placing | null>(null);
export const showDemand = signal(false);
/** How many places the map of unserved demand shows. */
export const demandPlaces = signal(0);
export const theme = signal<Theme>(firstTheme());
/** What dispatch says of the selected car's driver; null for one that it doesn't know. */
export const watchedDriver = signal<{
  readonly driverId: string;
  readonly answer: GetDriverResponse | null;
} | null>(null);
/** Counts seconds: what shows ages reads it. */
export const second = signal(0);
export const streetGuide = signal(new StreetGuide([]));

export const links = signal<Readonly<Record<"market" | "cars" | "trips", Link>>>({
  market: { kind: "connecting" },
  cars: { kind: "connecting" },
  trips: { kind: "connecting" },
});

/** The worst of the links: what is to be said about the connection. */
export const connection = computed<Link>(() => {
  const all = Object.values(links.value);
  return (
    all.find((link) => link.kind === "lost") ??
    all.find((link) => link.kind === "ended") ??
    all.find((link) => link.kind === "connecting") ?? { kind: "live" }
  );
});

/** One sample a second, the latest last. */
export const kSamples = 90;
export const samples = signal<readonly Figures[]>([]);
export const figures = computed<Figures>(() => samples.value.at(-1) ?? kNoFigures);

export function addSample(sample: Figures): void {
  samples.value = [...samples.value.slice(1 - kSamples), sample];
}

export function setLink(name: keyof typeof links.value, link: Link): void {
  links.value = { ...links.value, [name]: link };
}

/** What was chosen here before, else what the system likes. */
function firstTheme(): Theme {
  const chosen = globalThis.localStorage?.getItem(kThemeKey);
  if (chosen === "dark" || chosen === "light") return chosen;
  return globalThis.matchMedia?.("(prefers-color-scheme: light)").matches ? "light" : "dark";
}

export function toggleTheme(): void {
  theme.value = theme.value === "dark" ? "light" : "dark";
  localStorage.setItem(kThemeKey, theme.value);
}
