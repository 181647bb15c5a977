import { ItemProgram, kCorner, kDrawnPlace, type Camera } from "./gl.js";
import { rgba, type Palette } from "./palette.js";

/** The meaning of a pin. */
export const PinKind = {
  /** A rider has waited since `since`. */
  waiting: 0,
  /** A car is on its way to this rider. */
  awaited: 1,
  /** An event of the time `since`, which fades. */
  served: 2,
  unserved: 3,
  boarded: 4,
  cancelled: 5,
} as const;

export interface Pin {
  readonly x: number;
  readonly y: number;
  /** Seconds of the page. */
  readonly since: number;
  readonly kind: number;
}

/** Seconds of real time until a flash has faded. */
export const kFlashS = 1.6;
/** After this wait in seconds by the city's clock, a rider has the most urgent colour. */
const kLongWaitS = 240;

const kVertex = `${kCorner}${kDrawnPlace}
uniform float u_size;
out vec2 v_px;
flat out float v_age;
flat out int v_kind;
void main() {
  LoadItem();
  v_kind = int(a_kind + 0.5);
  v_age = u_now - a_since;
  v_px = Corner() * (v_kind == 1 ? 7.0 : 26.0);
  gl_Position = ToClip(a_place, v_px * u_size);
}`;

const kFragment = `
in vec2 v_px;
flat in float v_age;
flat in int v_kind;
uniform float u_now;
uniform float u_clock_rate;
uniform bool u_still;  // For users who prefer reduced motion.
uniform vec4 u_fresh;
uniform vec4 u_urgent;
uniform vec4 u_kinds[6];
uniform vec4 u_background;
out vec4 o_color;
float Disc(float radius) { return clamp(radius + 0.5 - length(v_px), 0.0, 1.0); }
float Ring(float radius, float width) {
  return clamp(0.5 + width / 2.0 - abs(length(v_px) - radius), 0.0, 1.0);
}
void main() {
  vec4 color = vec4(0.0);
  if (v_kind == 0) {
    float waited = clamp(v_age * u_clock_rate / ${kLongWaitS.toFixed(1)}, 0.0, 1.0);
    vec4 tone = mix(u_fresh, u_urgent, waited);
    float beat = fract(u_now * 0.6 + v_age * 0.37);
    float pulse = Ring(6.0 + 18.0 * beat, 2.0) * (1.0 - beat) * (0.35 + 0.4 * waited);
    if (u_still) pulse = 0.0;
    float turn = atan(v_px.x, -v_px.y) / 6.2831853;
    float arc = Ring(8.5, 2.0) * (fract(turn + 1.0) <= waited ? 1.0 : 0.22);
    color = tone * max(pulse, arc);
    color = mix(color, u_background, Disc(6.2) * 0.9);
    color = mix(color, tone, Disc(4.6));
  } else if (v_kind == 1) {
    color = mix(u_kinds[1] * Ring(3.6, 1.8), u_background, Disc(2.4));
  } else {
    float part = clamp(v_age / ${kFlashS.toFixed(1)}, 0.0, 1.0);
    float grow = u_still ? 0.5 : 1.0 - (1.0 - part) * (1.0 - part);
    vec4 tone = u_kinds[v_kind];
    float reach = v_kind == 2 || v_kind == 3 ? 20.0 : 12.0;
    color = tone * max(Ring(3.0 + reach * grow, 2.5), Disc(4.0) * (1.0 - part)) * (1.0 - part);
  }
  o_color = color;
  if (color.a < 0.01) discard;
}`;

/** Draws waiting riders and flashes of recent events. */
export class PinProgram {
  private readonly program: ItemProgram;

  constructor(private readonly gl: WebGL2RenderingContext) {
    this.program = new ItemProgram(gl, kVertex, kFragment, [
      ["a_place", 2],
      ["a_since", 1],
      ["a_kind", 1],
    ]);
  }

  /** Draws these pins from now on. */
  set(pins: readonly Pin[]): void {
    const { program } = this;
    const items = program.room(pins.length);
    pins.forEach((pin, i) => items.set([pin.x, pin.y, pin.since, pin.kind], i * program.stride));
    program.put(pins.length);
  }

  draw(camera: Camera, palette: Palette, clockRate: number, now: number, still: boolean): void {
    const { gl, program } = this;
    program.use(camera);
    gl.uniform1f(program.at("u_now"), now);
    gl.uniform1f(program.at("u_size"), Math.min(1.25, Math.max(0.65, (camera.zoom - 8) / 5)));
    gl.uniform1f(program.at("u_clock_rate"), clockRate);
    gl.uniform1i(program.at("u_still"), still ? 1 : 0);
    gl.uniform4fv(program.at("u_fresh"), rgba(palette.waiting[0]));
    gl.uniform4fv(program.at("u_urgent"), rgba(palette.waiting[1]));
    gl.uniform4fv(program.at("u_background"), rgba(palette.background));
    const enRoute = palette.cars[3] as string;
    const kinds = [enRoute, enRoute, palette.served, palette.unserved, enRoute, palette.cancelled];
    gl.uniform4fv(
      program.at("u_kinds"),
      kinds.flatMap((color) => rgba(color)),
    );
    program.draw();
  }
}
