// MapLibre without scripts made at run time, so that the page's Content-Security-Policy can forbid
// them: its worker is a file of the page's own. So is the plugin that lays out Arabic and Hebrew
// names, which is loaded with the first such name. (Later versions of the plugin are WebAssembly,
// which the policy forbids.)

import rtlTextUrl from "@mapbox/mapbox-gl-rtl-text/mapbox-gl-rtl-text.min.js?url";
import maplibregl from "maplibre-gl/dist/maplibre-gl-csp.js";
import workerUrl from "maplibre-gl/dist/maplibre-gl-csp-worker.js?url";
import "maplibre-gl/dist/maplibre-gl.css";

maplibregl.setWorkerUrl(workerUrl);
// A failure is shown by the names themselves, which are then drawn from left to right.
maplibregl.setRTLTextPlugin(rtlTextUrl, true).catch(() => undefined);

export default maplibregl;
