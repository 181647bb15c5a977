import maplibregl, { allowRtlText } from "./maplibre.js";
import { HomeControl } from "./home_control.js";
import { kUnits, type Bounds, type LngLat, type Plane } from "../city/projection.js";
import type { Camera } from "./gl.js";
import { makeStyle, type SourceName } from "./map_style.js";
import type { Palette } from "./palette.js";

/** How the whole city is shown. */
const kAll = { padding: 24 };
const kNothing: GeoJSON.GeoJSON = { type: "FeatureCollection", features: [] };

/** The map below the cars: streets, demand, routes. North is always up. */
export class CityMap {
  readonly map: maplibregl.Map;
  private streets: GeoJSON.GeoJSON = kNothing;
  /** The data of the sources, which a new style needs again. */
  private readonly data = new Map<SourceName, GeoJSON.GeoJSON>();
  private demandIsShown = false;

  constructor(
    container: HTMLElement,
    private palette: Palette,
    bounds: Bounds,
    private readonly plane: Plane,
  ) {
    const all: [LngLat, LngLat] = [bounds.southWest, bounds.northEast];
    allowRtlText();
    this.map = new maplibregl.Map({
      container,
      style: makeStyle(palette, kNothing),
      bounds: all,
      fitBoundsOptions: kAll,
      minZoom: 8,
      maxZoom: 19,
      maxPitch: 0,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      attributionControl: false,
      fadeDuration: 0,
      // A hand that moves a little still clicks.
      clickTolerance: 5,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    const home = new HomeControl(() => this.map.fitBounds(all, kAll));
    this.map.addControl(home, "bottom-right");
    this.map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "bottom-right");
  }

  /** Adds a canvas above the map's own and below its markers. */
  addCanvas(canvas: HTMLCanvasElement): void {
    this.map.getCanvas().after(canvas);
  }

  setStreets(streets: GeoJSON.GeoJSON): void {
    this.streets = streets;
    this.setData("streets", streets);
  }

  setPalette(palette: Palette): void {
    if (palette === this.palette) return;
    this.palette = palette;
    this.map.setStyle(makeStyle(palette, this.streets), { diff: true });
    void this.map.once("styledata", () => {
      for (const [name, data] of this.data) this.putData(name, data);
      this.showDemand(this.demandIsShown);
    });
  }

  setData(name: SourceName, data: GeoJSON.GeoJSON): void {
    this.data.set(name, data);
    this.putData(name, data);
  }

  clearData(name: SourceName): void {
    if (this.data.get(name) !== kNothing) this.setData(name, kNothing);
  }

  showDemand(shown: boolean): void {
    this.demandIsShown = shown;
    this.whenStyled(() => {
      this.map.setLayoutProperty("demand", "visibility", shown ? "visible" : "none");
    });
  }

  camera(): Camera {
    const { lng, lat } = this.map.getCenter();
    const canvas = this.map.getCanvas();
    const zoom = this.map.getZoom();
    return {
      x: this.plane.x(lng),
      y: this.plane.y(lat),
      scale: (512 * 2 ** zoom) / kUnits,
      width: canvas.clientWidth,
      height: canvas.clientHeight,
      zoom,
    };
  }

  center(): LngLat {
    const { lng, lat } = this.map.getCenter();
    return [lng, lat];
  }

  private putData(name: SourceName, data: GeoJSON.GeoJSON): void {
    this.whenStyled(() => {
      this.map.getSource<maplibregl.GeoJSONSource>(name)?.setData(data);
    });
  }

  private whenStyled(action: () => void): void {
    if (this.map.getLayer("stops")) action();
    else void this.map.once("styledata", () => this.whenStyled(action));
  }
}
