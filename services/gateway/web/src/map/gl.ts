/** Compiles a program. Throws the driver's message if a shader doesn't compile, which is a bug. */
export function makeProgram(gl: WebGL2RenderingContext, vertex: string, fragment: string) {
  const program = gl.createProgram();
  for (const [type, source] of [
    [gl.VERTEX_SHADER, vertex],
    [gl.FRAGMENT_SHADER, fragment],
  ] as const) {
    const shader = gl.createShader(type);
    if (!shader) throw new Error("the graphics context is lost");
    gl.shaderSource(shader, `#version 300 es\nprecision highp float;\n${source}`);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
    gl.deleteShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost()) {
      throw new Error(gl.getShaderInfoLog(shader) ?? "a shader doesn't compile");
    }
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(gl.getProgramInfoLog(program) ?? "a program doesn't link");
  }
  return program;
}

/** The view: its middle on the city's plane, its scale, and its size in CSS pixels. */
export interface Camera {
  readonly x: number;
  readonly y: number;
  /** Pixels per unit of the plane. */
  readonly scale: number;
  readonly width: number;
  readonly height: number;
  readonly zoom: number;
}

export const kCameraUniforms = `
uniform vec2 u_middle;
uniform float u_scale;
uniform vec2 u_half;
vec4 ToClip(vec2 place, vec2 offset_px) {
  vec2 px = (place - u_middle) * u_scale + offset_px;
  return vec4(px.x / u_half.x, -px.y / u_half.y, 0.0, 1.0);
}`;

/** Number of items in a row of the texture. */
const kRow = 256;

/** A program that draws a quad (or a line) for each of many items. A texture holds the items' floats,
 * and each vertex fetches those of its item. Instances of four vertices are not faster on a GPU, and
 * where the CPU draws, each instance costs as much as a draw call. */
export class ItemProgram {
  /** Number of floats from one item to the next, a multiple of four. */
  readonly stride: number;
  private readonly program: WebGLProgram;
  private readonly texture: WebGLTexture;
  private readonly uniforms = new Map<string, WebGLUniformLocation | null>();
  private data = new Float32Array(0);
  private rows = 0;
  private count = 0;

  /** `layout`: the names and sizes in floats of an item's fields, in order. No field may cross a
   * multiple of four floats. `vertex` calls LoadItem() and then reads the fields by name. */
  constructor(
    private readonly gl: WebGL2RenderingContext,
    vertex: string,
    fragment: string,
    layout: readonly (readonly [name: string, floats: number])[],
    private readonly mode: "quads" | "lines" = "quads",
  ) {
    const floats = layout.reduce((sum, [, size]) => sum + size, 0);
    this.stride = 4 * Math.ceil(floats / 4);
    const verticesAnItem = this.mode === "quads" ? 6 : 2;
    const load = loadItem(layout, this.stride / 4, verticesAnItem);
    this.program = makeProgram(gl, kCameraUniforms + load + vertex, fragment);
    this.texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  }

  /** The array to write `count` items to, one every `stride` floats, before `put`. */
  room(count: number): Float32Array {
    const floats = Math.ceil(count / kRow) * kRow * this.stride;
    if (floats > this.data.length) this.data = new Float32Array(2 * floats);
    return this.data;
  }

  /** Draws the first `count` items of `room` from now on. */
  put(count: number): void {
    this.count = count;
    if (count === 0) return;
    const { gl } = this;
    const width = (kRow * this.stride) / 4;
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    const rows = this.data.length / (kRow * this.stride);
    if (rows > this.rows) {
      this.rows = rows;
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, width, rows, 0, gl.RGBA, gl.FLOAT, this.data);
      return;
    }
    const used = Math.ceil(count / kRow);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, used, gl.RGBA, gl.FLOAT, this.data);
  }

  /** Must be called before the uniforms are set and `draw` is called. */
  use(camera: Camera): void {
    this.gl.useProgram(this.program);
    this.gl.uniform2f(this.at("u_middle"), camera.x, camera.y);
    this.gl.uniform1f(this.at("u_scale"), camera.scale);
    this.gl.uniform2f(this.at("u_half"), camera.width / 2, camera.height / 2);
  }

  at(name: string): WebGLUniformLocation | null {
    let location = this.uniforms.get(name);
    if (location === undefined) {
      location = this.gl.getUniformLocation(this.program, name);
      this.uniforms.set(name, location);
    }
    return location;
  }

  draw(): void {
    if (this.count === 0) return;
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    if (this.mode === "quads") gl.drawArrays(gl.TRIANGLES, 0, 6 * this.count);
    else gl.drawArrays(gl.LINES, 0, 2 * this.count);
  }
}

/** The part of a vertex shader that loads the vertex's item. */
function loadItem(
  layout: readonly (readonly [name: string, floats: number])[],
  texels: number,
  verticesAnItem: number,
): string {
  const types = ["", "float", "vec2", "vec3", "vec4"];
  let offset = 0;
  const lines = layout.map(([name, floats]) => {
    const [texel, from] = [offset >> 2, offset & 3];
    if (from + floats > 4) throw new Error(`${name} lies across two texels`);
    offset += floats;
    return `${name} = texelFetch(u_items, at + ivec2(${texel}, 0), 0).${"xyzw".slice(from, from + floats)};`;
  });
  return `
uniform highp sampler2D u_items;
${layout.map(([name, floats]) => `${types[floats]} ${name};`).join(" ")}
int item_index;
void LoadItem() {
  item_index = gl_VertexID / ${verticesAnItem};
  ivec2 at = ivec2((item_index % ${kRow}) * ${texels}, item_index / ${kRow});
  ${lines.join("\n  ")}
}`;
}

/** For vertex shaders: the vertex's corner of its item's quad, -1 to 1. */
export const kCorner = `
const int kCorners[6] = int[](0, 1, 2, 2, 1, 3);
vec2 Corner() {
  int corner = kCorners[gl_VertexID % 6];
  return vec2(corner & 1, corner >> 1) * 2.0 - 1.0;
}`;

/** For vertex shaders: how far a car has come, 0 to 1, from the floats of Cars. */
export const kDrawnPlace = `
uniform float u_now;
float Part(vec2 time) { return time.y > 0.0 ? clamp((u_now - time.x) / time.y, 0.0, 1.0) : 1.0; }`;
