import { isOnMap } from "../city/area_feed.js";
import { kState, kStride, type Cars } from "../city/cars.js";
import { DriverState } from "../gen/ridestream/location/v1/location_pb.js";
import { ItemProgram, kCorner, kDrawnPlace, type Camera } from "./gl.js";
import { rgba, type Palette } from "./palette.js";

const kVertex = `${kCorner}${kDrawnPlace}
uniform float u_radius;
uniform int u_selected;
uniform vec4 u_colors[6];
out vec2 v_unit;
flat out vec4 v_color;
flat out float v_radius;
flat out int v_look;  // Bit 0: hollow, 1: with a core, 2: selected.
void main() {
  LoadItem();
  int state = int(a_state + 0.5);
  bool is_free = state == 1;
  float part = Part(a_time);
  float heading = a_heading.x + min(1.0, 3.0 * part) * a_heading.y;
  bool selected = item_index == u_selected;
  float radius = u_radius * (is_free ? 0.8 : 1.0) * (selected ? 1.3 : 1.0);
  // No larger than the drawing: with many cars, pixels are the cost.
  v_unit = Corner() * (selected ? vec2(2.4) : vec2(0.88, 1.16) + 2.0 / radius);
  // Clockwise from north; y grows southwards on the plane and on the screen.
  mat2 turn = mat2(cos(heading), sin(heading), -sin(heading), cos(heading));
  v_color = u_colors[state];
  v_radius = radius;
  v_look = (is_free ? 1 : 0) | (state == 4 ? 2 : 0) | (selected ? 4 : 0);
  gl_Position = ToClip(mix(a_way.xy, a_way.zw, part), turn * v_unit * radius);
}`;

// An arrowhead; distances in radii of the car.
const kFragment = `
in vec2 v_unit;
flat in vec4 v_color;
flat in float v_radius;
flat in int v_look;
uniform vec4 u_background;
out vec4 o_color;
const vec2 kTip = vec2(0.0, -1.0);
const vec2 kWing = vec2(0.72, 0.78);
const vec2 kNotch = vec2(0.0, 0.42);
// The squared distance from p to the edge between two corners, and a sign: above 0 inside.
vec2 ToEdge(vec2 p, vec2 from, vec2 along) {
  vec2 to = p - from;
  vec2 away = to - along * clamp(dot(to, along) / dot(along, along), 0.0, 1.0);
  return vec2(dot(away, away), along.x * to.y - along.y * to.x);
}
float ToArrow(vec2 p) {
  p.x = abs(p.x);  // The halves are mirror images, and each is a triangle.
  vec2 side = ToEdge(p, kTip, kWing - kTip);
  vec2 back = ToEdge(p, kWing, kNotch - kWing);
  return sqrt(min(side.x, back.x)) * (min(side.y, back.y) > 0.0 ? -1.0 : 1.0);
}
void main() {
  float d = (ToArrow(v_unit) - 0.14) * v_radius;  // Pixels from the rounded edge.
  float fill = clamp(0.5 - d, 0.0, 1.0);
  float halo = clamp(1.9 - d, 0.0, 1.0);
  vec4 color = v_color;
  if ((v_look & 1) != 0 && v_radius > 4.6) {
    float inner = clamp(0.5 - (d + max(1.3, v_radius * 0.2)), 0.0, 1.0);
    color = mix(color, mix(u_background, v_color, 0.35), inner);
  }
  if ((v_look & 2) != 0 && v_radius > 5.0) {
    float core = clamp((0.26 - length(v_unit - vec2(0.0, 0.06))) * v_radius + 0.5, 0.0, 1.0);
    color = mix(color, vec4(1.0), core);
  }
  o_color = vec4(mix(u_background.rgb, color.rgb, fill), 1.0) * max(fill, 0.75 * halo);
  if ((v_look & 4) != 0) {
    float ring = abs(length(v_unit) - 1.95) * v_radius;
    o_color = max(o_color, v_color * clamp(1.6 - ring, 0.0, 1.0));
  }
  if (o_color.a < 0.01) discard;
}`;

/** Draws all cars with one call. The GPU moves them. */
export class CarProgram {
  private readonly program: ItemProgram;
  private drawnVersion = -1;
  /** The index of each slot's car among the drawn cars, or -1. */
  private indices = new Int32Array(0);

  constructor(private readonly gl: WebGL2RenderingContext) {
    this.program = new ItemProgram(gl, kVertex, kFragment, [
      ["a_way", 4], // From x, y; to x, y.
      ["a_time", 2], // Start, duration.
      ["a_heading", 2], // At the start; the turn.
      ["a_state", 1],
    ]);
  }

  /** `selected` is a slot, or -1. */
  draw(cars: Cars, camera: Camera, palette: Palette, selected: number, now: number): void {
    if (this.drawnVersion !== cars.version) this.put(cars);
    const { gl, program } = this;
    program.use(camera);
    gl.uniform1f(program.at("u_now"), now);
    gl.uniform1f(program.at("u_radius"), carRadius(camera, cars.size));
    gl.uniform1i(program.at("u_selected"), this.indices[selected] ?? -1);
    gl.uniform4fv(
      program.at("u_colors"),
      palette.cars.flatMap((color) => rgba(color)),
    );
    gl.uniform4fv(program.at("u_background"), rgba(palette.background));
    program.draw();
  }

  /** Free cars first, so that the others are drawn above them. */
  private put(cars: Cars): void {
    const { program } = this;
    const items = program.room(cars.count);
    if (this.indices.length < cars.count) this.indices = new Int32Array(2 * cars.count);
    this.indices.fill(-1);
    let drawn = 0;
    for (const wantsFree of [true, false]) {
      for (let slot = 0; slot < cars.count; ++slot) {
        const from = slot * kStride;
        const state = cars.data[from + kState] as DriverState;
        const isFree = state === DriverState.IDLE;
        if (isFree !== wantsFree || !isOnMap(state)) continue;
        const to = drawn * program.stride;
        for (let i = 0; i < kStride; ++i) items[to + i] = cars.data[from + i] as number;
        this.indices[slot] = drawn;
        drawn += 1;
      }
    }
    program.put(drawn);
    this.drawnVersion = cars.version;
  }
}

/** Cars are drawn smaller above this number of cars in a square of 100 by 100 pixels. */
const kCrowd = 15;

/** The radius of a car in pixels. Cars grow with the zoom, but less than the streets. They shrink in
 * a crowd while the whole city is in view. */
export function carRadius({ zoom, width, height }: Camera, cars: number): number {
  const density = (cars * 1e4) / (width * height);
  const room = Math.min(1, Math.max(0.62, Math.sqrt(kCrowd / density)));
  const near = Math.min(1, Math.max(0, (zoom - 12.5) / 1.5));
  return Math.min(24, Math.max(3, (room + near * (1 - room)) * 5.2 * 2 ** ((zoom - 12.5) * 0.5)));
}
