import { kStride, type Cars } from "../city/cars.js";
import { ItemProgram, kDrawnPlace, type Camera } from "./gl.js";
import { rgba, type Palette } from "./palette.js";

/** A line from a car, given by its slot, to its next pick-up. */
export interface Link {
  readonly slot: number;
  readonly x: number;
  readonly y: number;
}

const kVertex = `${kDrawnPlace}
out float v_part;
void main() {
  LoadItem();
  v_part = float(gl_VertexID & 1);
  vec2 car = mix(a_way.xy, a_way.zw, Part(a_time));
  gl_Position = ToClip((gl_VertexID & 1) == 0 ? car : a_end, vec2(0.0));
}`;

const kFragment = `
in float v_part;
uniform vec4 u_color;
out vec4 o_color;
void main() { o_color = u_color * mix(0.75, 0.3, v_part); }`;

/** Draws thin lines from cars to the riders that they are about to pick up. */
export class LinkProgram {
  private readonly program: ItemProgram;
  private count = 0;

  constructor(private readonly gl: WebGL2RenderingContext) {
    const layout = [
      ["a_way", 4],
      ["a_time", 2],
      ["a_end", 2],
    ] as const;
    this.program = new ItemProgram(gl, kVertex, kFragment, layout, "lines");
  }

  set(links: readonly Link[], cars: Cars): void {
    const { program } = this;
    const items = program.room(links.length);
    links.forEach((link, i) => {
      const car = link.slot * kStride;
      items.set(cars.data.subarray(car, car + 6), i * program.stride);
      items.set([link.x, link.y], i * program.stride + 6);
    });
    this.count = links.length;
    program.put(links.length);
  }

  draw(camera: Camera, palette: Palette, now: number): void {
    const { gl, program } = this;
    program.use(camera);
    gl.uniform1f(program.at("u_now"), now);
    // Many lines are fainter than a few, because thousands would hide the map.
    const alpha = Math.min(0.8, Math.max(0.12, 8 / Math.sqrt(this.count + 1)));
    const [r, g, b] = rgba(palette.cars[3] as string);
    gl.uniform4f(program.at("u_color"), r * alpha, g * alpha, b * alpha, alpha);
    program.draw();
  }
}
