// MapLibre without scripts made at run time, which the page's
// Content-Security-Policy forbids. Its worker is one of the page's own files.

import rtlTextUrl from "@mapbox/mapbox-gl-rtl-text/mapbox-gl-rtl-text.min.js?url";
import maplibregl from "maplibre-gl/dist/maplibre-gl-csp.js";
import workerUrl from "maplibre-gl/dist/maplibre-gl-csp-worker.js?url";
import "maplibre-gl/dist/maplibre-gl.css";

maplibregl.setWorkerUrl(workerUrl);

/** Lets maps load the plugin that lays out Arabic and Hebrew names, with the first such name. Later
 * versions of the plugin are WebAssembly, which the policy forbids. */
export function allowRtlText(): void {
  if (maplibregl.getRTLTextPluginStatus() !== "unavailable") return;
  // Without the plugin, such names are drawn from left to right.
  maplibregl.setRTLTextPlugin(rtlTextUrl, true).catch(() => undefined);
}

export default maplibregl;
