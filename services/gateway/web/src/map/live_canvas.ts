import type { Cars } from "../city/cars.js";
import { CarProgram } from "./car_program.js";
import { FrameMeter } from "./frame_meter.js";
import type { Camera } from "./gl.js";
import { LinkProgram, type Link } from "./link_program.js";
import type { Palette } from "./palette.js";
import { PinProgram, type Pin } from "./pin_program.js";
import { WaitLabelProgram } from "./wait_label_program.js";

/** The things to draw, read for each frame. */
export interface LiveScene {
  readonly cars: Cars;
  camera(): Camera;
  palette(): Palette;
  /** The slot of the selected car, or -1. */
  selected(): number;
  clockRate(): number;
  /** Called before each frame, to set pins and links that have changed. */
  beforeFrame(canvas: LiveCanvas, now: number): void;
}

interface Programs {
  readonly cars: CarProgram;
  readonly pins: PinProgram;
  readonly links: LinkProgram;
  readonly waits: WaitLabelProgram;
}

/** A canvas above the map's for everything that moves, so that the streets are not drawn again for
 * each frame. Draws in each frame of the browser, and also when the map has just moved, so that cars
 * and streets stay together. */
export class LiveCanvas {
  readonly element = document.createElement("canvas");
  readonly meter = new FrameMeter();
  private readonly gl: WebGL2RenderingContext;
  private readonly reducedMotion = window.matchMedia("(prefers-reduced-motion: reduce)");
  private programs: Programs;
  private pins: readonly Pin[] = [];
  private links: readonly Link[] = [];
  private frame = 0;
  private drawnInFrame = false;

  /** Throws if WebGL 2 is not available. */
  constructor(private readonly scene: LiveScene) {
    this.element.className = "live-canvas";
    const gl = this.element.getContext("webgl2", { antialias: false, premultipliedAlpha: true });
    if (!gl) throw new Error("WebGL 2 is not available");
    this.gl = gl;
    this.programs = this.makePrograms();
    this.element.addEventListener("webglcontextlost", (event) => event.preventDefault());
    this.element.addEventListener("webglcontextrestored", () => {
      this.programs = this.makePrograms();
      this.setPins(this.pins);
      this.setLinks(this.links);
    });
  }

  start(): void {
    const onFrame = () => {
      this.frame = requestAnimationFrame(onFrame);
      const start = performance.now();
      if (!this.drawnInFrame) this.draw();
      this.drawnInFrame = false;
      this.meter.onFrame(start, performance.now());
    };
    this.frame = requestAnimationFrame(onFrame);
  }

  stop(): void {
    cancelAnimationFrame(this.frame);
  }

  /** Draws at once, because the map has moved. */
  followMap(): void {
    this.draw();
    this.drawnInFrame = true;
  }

  setPins(pins: readonly Pin[]): void {
    this.pins = pins;
    this.programs.pins.set(pins);
    this.programs.waits.set(pins);
  }

  setLinks(links: readonly Link[]): void {
    this.links = links;
    this.programs.links.set(links, this.scene.cars);
  }

  private draw(): void {
    const { gl, scene, programs } = this;
    const now = performance.now() / 1000;
    const camera = scene.camera();
    this.fit(camera);
    scene.beforeFrame(this, now);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const palette = scene.palette();
    programs.links.draw(camera, palette, now);
    programs.cars.draw(scene.cars, camera, palette, scene.selected(), now);
    programs.pins.draw(camera, palette, scene.clockRate(), now, this.reducedMotion.matches);
    programs.waits.draw(camera, palette, scene.clockRate(), now);
  }

  private fit(camera: Camera): void {
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const width = Math.round(camera.width * ratio);
    const height = Math.round(camera.height * ratio);
    if (this.element.width === width && this.element.height === height) return;
    this.element.width = width;
    this.element.height = height;
    this.gl.viewport(0, 0, width, height);
  }

  private makePrograms(): Programs {
    const { gl } = this;
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.clearColor(0, 0, 0, 0);
    return {
      cars: new CarProgram(gl),
      pins: new PinProgram(gl),
      links: new LinkProgram(gl),
      waits: new WaitLabelProgram(gl),
    };
  }
}
