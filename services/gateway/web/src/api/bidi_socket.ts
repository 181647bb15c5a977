// Bidirectional calls over a WebSocket, which gRPC-Web lacks: the browser's side of the gateway's
// "gRPC over a WebSocket" (see services/gateway/README.md).

import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import type { DescMessage, DescMethodBiDiStreaming, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";

const kTrailers = 0x80;
const kHeaderBytes = 5;
const kMessage = 0;
const kHalfClose = 1;

/** A gRPC-Web frame: a flag, the length as 4 bytes, big-endian, and the bytes. */
export function makeFrame(flag: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(kHeaderBytes + bytes.length);
  frame[0] = flag;
  new DataView(frame.buffer).setUint32(1, bytes.length);
  frame.set(bytes, kHeaderBytes);
  return frame;
}

/** The flag and the bytes of a frame. Throws a ConnectError for other data. */
export function parseFrame(data: ArrayBuffer): { flag: number; bytes: Uint8Array } {
  const view = new DataView(data);
  if (view.byteLength < kHeaderBytes || view.getUint32(1) !== view.byteLength - kHeaderBytes) {
    throw new ConnectError("the gateway sent data that is not a frame", Code.Internal);
  }
  return { flag: view.getUint8(0), bytes: new Uint8Array(data, kHeaderBytes) };
}

/** Parses "name: value" lines. */
export function parseHeaders(bytes: Uint8Array): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of new TextDecoder().decode(bytes).split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return headers;
}

/** The error in the trailers; null for status OK. */
export function statusOf(trailers: Map<string, string>): ConnectError | null {
  const code = Number(trailers.get("grpc-status") ?? Code.Unknown);
  if (code === 0) return null;
  const error = new ConnectError(decodeURIComponent(trailers.get("grpc-message") ?? ""), code);
  for (const [name, value] of trailers) error.metadata.set(name, value);
  return error;
}

export interface BidiListener<O extends DescMessage> {
  /** The response headers, before the first message. */
  readonly onHeaders?: (headers: ReadonlyMap<string, string>) => void;
  readonly onMessage: (message: MessageShape<O>) => void;
  /** Called once, last. Null if the server ended the call with OK. */
  readonly onEnd: (error: ConnectError | null) => void;
}

/** One call. Messages sent before the socket is open wait. */
export class BidiSocket<I extends DescMessage, O extends DescMessage> {
  private readonly socket: WebSocket;
  private readonly waiting: Uint8Array<ArrayBuffer>[] = [];
  private isOpen = false;
  private ended = false;

  constructor(
    private readonly method: DescMethodBiDiStreaming<I, O>,
    baseUrl: string,
    headers: Readonly<Record<string, string>>,
    private readonly listener: BidiListener<O>,
    makeSocket = (url: string, protocol: string) => new WebSocket(url, protocol),
  ) {
    const path = `/${method.parent.typeName}/${method.name}`;
    this.socket = makeSocket(baseUrl.replace(/^http/, "ws") + path, "grpc-websockets");
    this.socket.binaryType = "arraybuffer";
    const metadata = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    this.waiting.push(new TextEncoder().encode(metadata.join("")));
    this.socket.onopen = () => {
      this.isOpen = true;
      this.waiting.splice(0).forEach((data) => this.socket.send(data));
    };
    this.socket.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => this.onFrame(data);
    // Without trailers, the connection was cut.
    this.socket.onclose = () =>
      this.end(new ConnectError("the connection was cut", Code.Unavailable));
  }

  send(message: MessageInitShape<I>): void {
    const bytes = toBinary(this.method.input, create(this.method.input, message));
    const frame = makeFrame(0, bytes);
    const data = new Uint8Array(1 + frame.length);
    data[0] = kMessage;
    data.set(frame, 1);
    this.write(data);
  }

  halfClose(): void {
    this.write(Uint8Array.of(kHalfClose));
  }

  /** Ends the call without calling the listener. */
  cancel(): void {
    this.ended = true;
    this.socket.close();
  }

  private write(data: Uint8Array<ArrayBuffer>): void {
    if (this.ended) return;
    if (this.isOpen) this.socket.send(data);
    else this.waiting.push(data);
  }

  private onFrame(data: ArrayBuffer): void {
    if (this.ended) return;
    try {
      const { flag, bytes } = parseFrame(data);
      if ((flag & kTrailers) === 0) {
        this.listener.onMessage(fromBinary(this.method.output, bytes));
        return;
      }
      const headers = parseHeaders(bytes);
      if (headers.has("grpc-status")) this.end(statusOf(headers));
      else this.listener.onHeaders?.(headers);
    } catch (thrown) {
      this.end(ConnectError.from(thrown));
      this.socket.close();
    }
  }

  private end(error: ConnectError | null): void {
    if (this.ended) return;
    this.ended = true;
    this.listener.onEnd(error);
  }
}
