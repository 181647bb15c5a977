// MapLibre without scripts made at run time, so that the page's Content-Security-Policy can forbid
// them: its worker is a file of the page's own.

import maplibregl from "maplibre-gl/dist/maplibre-gl-csp.js";
import workerUrl from "maplibre-gl/dist/maplibre-gl-csp-worker.js?url";
import "maplibre-gl/dist/maplibre-gl.css";

maplibregl.setWorkerUrl(workerUrl);

export default maplibregl;
