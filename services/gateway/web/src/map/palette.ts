/** The page's colour scheme. */
export type Theme = "dark" | "light";

export interface Palette {
  readonly background: string;
  /** Colours of small streets, boulevards and motorways. */
  readonly streets: readonly [string, string, string];
  readonly streetName: string;
  readonly streetNameHalo: string;
  readonly route: string;
  readonly routeCasing: string;
  /** Colours by DriverState: unspecified, idle, offered, en route, occupied, offline. */
  readonly cars: readonly string[];
  /** Colours of a rider who has just started to wait, and of one who has waited long. */
  readonly waiting: readonly [string, string];
  readonly served: string;
  readonly unserved: string;
  readonly cancelled: string;
}

export const kPalettes: Readonly<Record<Theme, Palette>> = {
  dark: {
    background: "#0c1118",
    streets: ["#253042", "#33435a", "#465a77"],
    streetName: "#7688a3",
    streetNameHalo: "#0c1118",
    route: "#e8eefc",
    routeCasing: "#0c1118",
    cars: ["#000000", "#8494ad", "#f7c948", "#3aa0ff", "#34d399", "#000000"],
    waiting: ["#ff9f5a", "#ff4d6d"],
    served: "#34d399",
    unserved: "#ff4d6d",
    cancelled: "#97a3b6",
  },
  light: {
    background: "#f2f4f7",
    streets: ["#d0d9e4", "#bdc9d8", "#a5b4c8"],
    streetName: "#5b6a80",
    streetNameHalo: "#f2f4f7",
    route: "#16233a",
    routeCasing: "#ffffff",
    cars: ["#000000", "#7b889c", "#b07d00", "#0b6fd6", "#08805a", "#000000"],
    waiting: ["#c2410c", "#be123c"],
    served: "#08805a",
    unserved: "#be123c",
    cancelled: "#66748a",
  },
};

/** Converts a colour such as "#3aa0ff" to four numbers from 0 to 1. */
export function rgba(hex: string, alpha = 1): [number, number, number, number] {
  const value = Number.parseInt(hex.slice(1), 16);
  return [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255, alpha];
}
