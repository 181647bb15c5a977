import { kStride, type Cars } from "../city/cars.js";
import { InstancedProgram, kCorner, kDrawnPlace, type Camera } from "./gl.js";
import { rgba, type Palette } from "./palette.js";

const kVertex = `${kCorner}${kDrawnPlace}
in vec4 a_way;      // From x, y; to x, y.
in vec2 a_time;     // Start, duration.
in vec2 a_heading;  // At the start; the turn.
in float a_state;
uniform float u_radius;
uniform int u_selected;
uniform int u_pass;  // 0: cars that are free, 1: the others, above them.
uniform vec4 u_colors[6];
out vec2 v_unit;
flat out vec4 v_color;
flat out float v_radius;
flat out int v_look;  // Bit 0: hollow, 1: with a core, 2: selected.
void main() {
  int state = int(a_state + 0.5);
  bool is_free = state == 1;
  if (state == 0 || state == 5 || is_free != (u_pass == 0)) { gl_Position = vec4(2.0); return; }
  float part = Part(a_time);
  float heading = a_heading.x + min(1.0, 3.0 * part) * a_heading.y;
  bool selected = gl_InstanceID == u_selected;
  float radius = u_radius * (is_free ? 0.8 : 1.0) * (selected ? 1.3 : 1.0);
  float reach = selected ? 2.4 : 1.2 + 2.0 / radius;
  v_unit = Corner() * reach;
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
const vec2 kArrow[4] = vec2[](vec2(0.0, -1.0), vec2(0.72, 0.78), vec2(0.0, 0.42), vec2(-0.72, 0.78));
float ToArrow(vec2 p) {
  float nearest = 9.0;
  bool inside = false;
  for (int i = 0; i < 4; ++i) {
    vec2 a = kArrow[i];
    vec2 b = kArrow[(i + 1) & 3];
    vec2 along = b - a;
    vec2 to = p - a - along * clamp(dot(p - a, along) / dot(along, along), 0.0, 1.0);
    nearest = min(nearest, dot(to, to));
    if ((a.y > p.y) != (b.y > p.y) && p.x < a.x + along.x * (p.y - a.y) / along.y) inside = !inside;
  }
  return (inside ? -1.0 : 1.0) * sqrt(nearest);
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

/** Draws all cars with two calls; the GPU moves them. */
export class CarProgram {
  private readonly program: InstancedProgram;
  private drawnVersion = -1;

  constructor(private readonly gl: WebGL2RenderingContext) {
    this.program = new InstancedProgram(gl, kVertex, kFragment, [
      ["a_way", 4],
      ["a_time", 2],
      ["a_heading", 2],
      ["a_state", 1],
    ]);
  }

  /** `selected` is a slot, or -1. */
  draw(cars: Cars, camera: Camera, palette: Palette, selected: number, now: number): void {
    if (this.drawnVersion !== cars.version) {
      this.program.upload(cars.data, cars.count * kStride);
      this.drawnVersion = cars.version;
    }
    const { gl, program } = this;
    program.use(camera);
    gl.uniform1f(program.at("u_now"), now);
    gl.uniform1f(program.at("u_radius"), carRadius(camera, cars.size));
    gl.uniform1i(program.at("u_selected"), selected);
    gl.uniform4fv(program.at("u_colors"), palette.cars.flatMap((color) => rgba(color)));
    gl.uniform4fv(program.at("u_background"), rgba(palette.background));
    for (const pass of [0, 1]) {
      gl.uniform1i(program.at("u_pass"), pass);
      program.draw(cars.count);
    }
  }
}

/** Where there are more cars than this in a square of 100 pixels, they are drawn smaller. */
const kCrowd = 15;

/** In pixels: cars grow with the zoom, but less than the streets; and shrink in a crowd, which is
 * one only when the whole city is seen. */
export function carRadius({ zoom, width, height }: Camera, cars: number): number {
  const density = (cars * 1e4) / (width * height);
  const room = Math.min(1, Math.max(0.62, Math.sqrt(kCrowd / density)));
  const near = Math.min(1, Math.max(0, (zoom - 12.5) / 1.5));
  return Math.min(24, Math.max(3, (room + near * (1 - room)) * 5.2 * 2 ** ((zoom - 12.5) * 0.5)));
}
