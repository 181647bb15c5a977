import { kStride, type Cars } from "../city/cars.js";
import { InstancedProgram, kDrawnPlace, type Camera } from "./gl.js";
import { rgba, type Palette } from "./palette.js";

/** From a car, by its slot, to a place: who is coming for whom. */
export interface Link {
  readonly slot: number;
  readonly x: number;
  readonly y: number;
}

const kVertex = `${kDrawnPlace}
in vec4 a_way;
in vec2 a_time;
in vec2 a_end;
out float v_part;
void main() {
  v_part = float(gl_VertexID);
  vec2 car = mix(a_way.xy, a_way.zw, Part(a_time));
  gl_Position = ToClip(gl_VertexID == 0 ? car : a_end, vec2(0.0));
}`;

const kFragment = `
in float v_part;
uniform vec4 u_color;
out vec4 o_color;
void main() { o_color = u_color * mix(0.75, 0.3, v_part); }`;

const kFloats = 8;

/** Draws thin lines from cars to the riders whom they are about to pick up. */
export class LinkProgram {
  private readonly program: InstancedProgram;
  private data = new Float32Array(64 * kFloats);
  private count = 0;

  constructor(private readonly gl: WebGL2RenderingContext) {
    const layout = [
      ["a_way", 4],
      ["a_time", 2],
      ["a_end", 2],
    ] as const;
    this.program = new InstancedProgram(gl, kVertex, kFragment, layout, "lines");
  }

  set(links: readonly Link[], cars: Cars): void {
    const floats = links.length * kFloats;
    if (floats > this.data.length) this.data = new Float32Array(2 * floats);
    links.forEach((link, i) => {
      const car = link.slot * kStride;
      this.data.set(cars.data.subarray(car, car + 6), i * kFloats);
      this.data.set([link.x, link.y], i * kFloats + 6);
    });
    this.count = links.length;
    this.program.upload(this.data, floats);
  }

  draw(camera: Camera, palette: Palette, now: number): void {
    const { gl, program } = this;
    program.use(camera);
    gl.uniform1f(program.at("u_now"), now);
    // The more there are, the fainter: a few tell a story, thousands would be a cloud.
    const alpha = Math.min(0.8, Math.max(0.12, 8 / Math.sqrt(this.count + 1)));
    const [r, g, b] = rgba(palette.cars[3] as string);
    gl.uniform4f(program.at("u_color"), r * alpha, g * alpha, b * alpha, alpha);
    program.draw(this.count);
  }
}
