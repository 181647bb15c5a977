import type { StyleSpecification } from "maplibre-gl";
import type { Palette } from "./palette.js";

/** The sources that CityMap fills. */
export const kSources = ["streets", "demand", "route", "stops"] as const;
export type SourceName = (typeof kSources)[number];

/** Street names are drawn with a local font: no server provides glyphs. */
const kFont = ["Open Sans Regular"];

/** Widths of the three classes of streets in pixels, at zoom 10, 13, 16 and 18. */
const kWidths = [
  [0.3, 1.1, 6, 16],
  [0.6, 1.9, 9, 24],
  [0.9, 2.7, 11, 28],
] as const;

function streetWidth(streetClass: 0 | 1 | 2): maplibregl.ExpressionSpecification {
  const [a, b, c, d] = kWidths[streetClass];
  return ["interpolate", ["exponential", 1.6], ["zoom"], 10, a, 13, b, 16, c, 18, d];
}

export function makeStyle(palette: Palette, streets: GeoJSON.GeoJSON): StyleSpecification {
  const empty = { type: "FeatureCollection" as const, features: [] };
  const streetLayers = ([0, 1, 2] as const).map((streetClass) => ({
    id: `streets-${streetClass}`,
    type: "line" as const,
    source: "streets",
    filter: ["==", ["get", "class"], streetClass] as maplibregl.FilterSpecification,
    layout: { "line-cap": "round" as const, "line-join": "round" as const },
    paint: { "line-color": palette.streets[streetClass], "line-width": streetWidth(streetClass) },
  }));
  const source = (data: GeoJSON.GeoJSON) => ({ type: "geojson" as const, data });
  return {
    version: 8,
    sources: {
      streets: { ...source(streets), tolerance: 0.2, maxzoom: 16 },
      demand: source(empty),
      route: source(empty),
      stops: source(empty),
    },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": palette.background } },
      ...streetLayers,
      {
        id: "demand",
        type: "heatmap",
        source: "demand",
        layout: { visibility: "none" },
        paint: {
          "heatmap-weight": ["get", "weight"],
          "heatmap-radius": [
            "interpolate",
            ["exponential", 1.7],
            ["zoom"],
            10,
            14,
            13,
            38,
            16,
            150,
          ],
          "heatmap-intensity": 0.9,
          "heatmap-opacity": 0.75,
          "heatmap-color": [
            ...["interpolate", ["linear"], ["heatmap-density"]],
            ...[0, "rgba(120, 40, 160, 0)", 0.15, "rgba(120, 40, 160, 0.55)"],
            ...[0.45, "rgba(226, 62, 100, 0.8)", 0.75, "#ff9a3c", 1, "#fff2a8"],
          ] as unknown as maplibregl.ExpressionSpecification,
        },
      },
      {
        id: "street-names",
        type: "symbol",
        source: "streets",
        minzoom: 14.2,
        filter: ["!=", ["get", "name"], ""],
        layout: {
          "symbol-placement": "line",
          "symbol-spacing": 420,
          "text-field": ["get", "name"],
          "text-font": kFont,
          "text-size": ["interpolate", ["linear"], ["zoom"], 14, 10, 18, 14],
        },
        paint: {
          "text-color": palette.streetName,
          "text-halo-color": palette.streetNameHalo,
          "text-halo-width": 1.4,
        },
      },
      {
        id: "route-casing",
        type: "line",
        source: "route",
        layout: { "line-cap": "round", "line-join": "round" },
        paint: { "line-color": palette.routeCasing, "line-width": 7, "line-opacity": 0.85 },
      },
      {
        id: "route",
        type: "line",
        source: "route",
        layout: { "line-cap": "round", "line-join": "round" },
        paint: { "line-color": palette.route, "line-width": 3.5, "line-opacity": 0.95 },
      },
      {
        id: "stops",
        type: "circle",
        source: "stops",
        paint: {
          "circle-radius": 6,
          "circle-color": [
            ...["match", ["get", "kind"], "pickup", palette.waiting[0]],
            palette.cars[4] as string,
          ] as unknown as maplibregl.ExpressionSpecification,
          "circle-stroke-color": palette.route,
          "circle-stroke-width": 2,
        },
      },
    ],
  };
}
