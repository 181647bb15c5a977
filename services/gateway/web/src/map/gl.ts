/** Compiles a program. Throws with the driver's words: a shader of ours that doesn't compile is a bug. */
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

/** What the page looks at: the middle of the view on the city's plane, and the scale. All sizes in
 * CSS pixels. */
export interface Camera {
  readonly x: number;
  readonly y: number;
  /** Pixels in a unit of the plane. */
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

/** A program with one buffer of floats, whose attributes advance per instance, drawn as a quad (or
 * a line) for each. */
export class InstancedProgram {
  private readonly program: WebGLProgram;
  private readonly buffer: WebGLBuffer;
  private readonly array: WebGLVertexArrayObject;
  private readonly uniforms = new Map<string, WebGLUniformLocation | null>();
  private capacity = 0;

  /** `layout`: the attributes' names and sizes in floats, in the buffer's order. */
  constructor(
    private readonly gl: WebGL2RenderingContext,
    vertex: string,
    fragment: string,
    layout: readonly (readonly [name: string, floats: number])[],
    private readonly mode: "quads" | "lines" = "quads",
  ) {
    this.program = makeProgram(gl, kCameraUniforms + vertex, fragment);
    this.buffer = gl.createBuffer();
    this.array = gl.createVertexArray();
    gl.bindVertexArray(this.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    const stride = 4 * layout.reduce((sum, [, floats]) => sum + floats, 0);
    let offset = 0;
    for (const [name, floats] of layout) {
      const location = gl.getAttribLocation(this.program, name);
      if (location >= 0) {
        gl.enableVertexAttribArray(location);
        gl.vertexAttribPointer(location, floats, gl.FLOAT, false, stride, offset);
        gl.vertexAttribDivisor(location, 1);
      }
      offset += 4 * floats;
    }
    gl.bindVertexArray(null);
  }

  /** Puts the first `floats` of `data` into the buffer. */
  upload(data: Float32Array, floats: number): void {
    if (floats === 0) return; // To WebGL that would mean all of it.
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    if (floats > this.capacity) {
      this.capacity = data.length;
      gl.bufferData(gl.ARRAY_BUFFER, 4 * this.capacity, gl.DYNAMIC_DRAW);
    }
    gl.bufferSubData(gl.ARRAY_BUFFER, 0, data, 0, floats);
  }

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

  draw(instances: number): void {
    if (instances === 0) return;
    const { gl } = this;
    gl.bindVertexArray(this.array);
    if (this.mode === "quads") gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, instances);
    else gl.drawArraysInstanced(gl.LINES, 0, 2, instances);
    gl.bindVertexArray(null);
  }
}

/** For vertex shaders: this vertex's corner of a quad, -1 to 1. */
export const kCorner = `
vec2 Corner() { return vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0; }`;

/** For vertex shaders: where a car is drawn, from the floats of Cars. */
export const kDrawnPlace = `
uniform float u_now;
float Part(vec2 time) { return time.y > 0.0 ? clamp((u_now - time.x) / time.y, 0.0, 1.0) : 1.0; }`;
