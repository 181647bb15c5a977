import { declutter } from "./declutter.js";
import { ItemProgram, kCorner, kDrawnPlace, type Camera } from "./gl.js";
import { rgba, type Palette } from "./palette.js";
import { PinKind, type Pin } from "./pin_program.js";

/** The characters of labels, in the order of the texture from left to right. */
const kCharacters = "0123456789:";
/** Size of a character in the texture. It is drawn at half of this size. */
const kCellWidth = 15;
const kCellHeight = 26;
/** Above this number, labels are hidden until the user zooms in to `kNearZoom`. */
const kMaxAtAGlance = 60;
const kNearZoom = 13.5;
/** Size of a label in pixels. */
const kLabelWidth = 36;
const kLabelHeight = 14;

const kVertex = `${kCorner}${kDrawnPlace}
uniform float u_clock_rate;
out vec2 v_cell;          // 0 to 4.5 from left to right, 0 to 1 downwards.
flat out ivec2 v_waited;  // Minutes, seconds.
void main() {
  LoadItem();
  int waited = int(max(0.0, (u_now - a_since) * u_clock_rate));
  v_waited = ivec2(min(waited / 60, 99), waited % 60);
  vec2 corner = Corner();
  v_cell = vec2((corner.x + 1.0) * 2.25, (corner.y + 1.0) * 0.5);
  // Below ten minutes, the label is one cell shorter on its left.
  float shift = v_waited.x < 10 ? -0.5 : 0.0;
  vec2 half_size = vec2(2.25, 1.0) * vec2(${(kCellWidth / 2).toFixed(1)}, ${(kCellHeight / 4).toFixed(1)});
  gl_Position = ToClip(a_place, corner * half_size + vec2(shift * ${(kCellWidth / 2).toFixed(1)}, -19.0));
}`;

const kFragment = `
in vec2 v_cell;
flat in ivec2 v_waited;
uniform sampler2D u_characters;
uniform vec4 u_color;
uniform vec4 u_background;
out vec4 o_color;
void main() {
  // The colon takes half a cell: the middle of its cell in the texture.
  float x = v_cell.x < 2.0 ? v_cell.x : v_cell.x < 2.5 ? v_cell.x + 0.25 : v_cell.x + 0.5;
  int cell = int(x);
  int character = cell == 0 ? v_waited.x / 10 : cell == 1 ? v_waited.x % 10 : cell == 2 ? 10
    : cell == 3 ? v_waited.y / 10 : v_waited.y % 10;
  if (cell == 0 && character == 0) discard;
  // The very edges are left out, where the neighbour would be visible.
  float across = clamp(fract(x), 0.06, 0.94);
  vec2 at = vec2((float(character) + across) / ${kCharacters.length.toFixed(1)}, v_cell.y);
  // Red is the character, green its outline.
  vec4 texel = texture(u_characters, at);
  o_color = mix(u_background * texel.g, u_color, texel.r);
  if (o_color.a < 0.02) discard;
}`;

/** Labels each waiting rider with the time waited by the city's clock. The GPU computes the time. */
export class WaitLabelProgram {
  private readonly program: ItemProgram;
  private readonly texture: WebGLTexture;
  /** The riders who have waited longest come first. */
  private waiting: readonly Pin[] = [];
  /** The scale for which the labels were chosen; 0 for none. */
  private scale = 0;

  constructor(private readonly gl: WebGL2RenderingContext) {
    this.program = new ItemProgram(gl, kVertex, kFragment, [
      ["a_place", 2],
      ["a_since", 1],
    ]);
    this.texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, drawCharacters());
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  }

  set(pins: readonly Pin[]): void {
    const waiting = pins.filter((pin) => pin.kind === PinKind.waiting);
    this.waiting = waiting.sort((a, b) => a.since - b.since);
    this.scale = 0;
  }

  draw(camera: Camera, palette: Palette, clockRate: number, now: number): void {
    if (this.waiting.length > kMaxAtAGlance && camera.zoom < kNearZoom) return;
    if (this.scale !== camera.scale) this.choose(camera.scale);
    const { gl, program } = this;
    program.use(camera);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.uniform1i(program.at("u_characters"), 1);
    gl.uniform1f(program.at("u_now"), now);
    gl.uniform1f(program.at("u_clock_rate"), clockRate);
    gl.uniform4fv(program.at("u_color"), rgba(palette.waiting[0]));
    gl.uniform4fv(program.at("u_background"), rgba(palette.background));
    program.draw();
  }

  private choose(scale: number): void {
    const labels = declutter(this.waiting, kLabelWidth / scale, kLabelHeight / scale);
    const { program } = this;
    const items = program.room(labels.length);
    labels.forEach((pin, i) => items.set([pin.x, pin.y, pin.since], i * program.stride));
    program.put(labels.length);
    this.scale = scale;
  }
}

function drawCharacters(): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = kCellWidth * kCharacters.length;
  canvas.height = kCellHeight;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("the browser can't draw text");
  context.fillStyle = "#000";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.font = "700 21px Inter, system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = 5;
  context.lineJoin = "round";
  context.strokeStyle = "#0f0";
  context.fillStyle = "#ff0";
  [...kCharacters].forEach((character, i) => {
    const x = (i + 0.5) * kCellWidth;
    context.save();
    context.beginPath();
    context.rect(i * kCellWidth, 0, kCellWidth, kCellHeight);
    context.clip();
    context.strokeText(character, x, kCellHeight / 2 + 1);
    context.fillText(character, x, kCellHeight / 2 + 1);
    context.restore();
  });
  return canvas;
}
