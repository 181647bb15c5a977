import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, type ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import {
  DispatchService,
  DriveRequestSchema,
  DriveResponseSchema,
  type DriveResponse,
} from "../gen/ridestream/dispatch/v1/dispatch_pb.js";
import { BidiSocket, makeFrame, parseFrame } from "./bidi_socket.js";

/** The gateway's end of a WebSocket. */
class FakeSocket {
  binaryType = "";
  readonly sent: Uint8Array[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: ArrayBuffer }) => void) | null = null;
  onclose: (() => void) | null = null;
  constructor(
    readonly url: string,
    readonly protocol: string,
  ) {}
  send(data: Uint8Array) {
    this.sent.push(data);
  }
  close() {
    this.onclose?.();
  }
  open() {
    this.onopen?.();
  }
  receive(flag: number, bytes: Uint8Array) {
    this.onmessage?.({ data: makeFrame(flag, bytes).buffer });
  }
  receiveHeaders(text: string) {
    this.receive(0x80, new TextEncoder().encode(text));
  }
}

function call() {
  let socket: FakeSocket | undefined;
  const messages: DriveResponse[] = [];
  const ends: (ConnectError | null)[] = [];
  const headers: ReadonlyMap<string, string>[] = [];
  const bidi = new BidiSocket(
    DispatchService.method.drive,
    "http://host:7000",
    { "ridestream-caller": "driver/d-3" },
    {
      onHeaders: (received) => headers.push(received),
      onMessage: (message) => messages.push(message),
      onEnd: (error) => ends.push(error),
    },
    (url, protocol) => (socket = new FakeSocket(url, protocol)) as unknown as WebSocket,
  );
  return { bidi, socket: socket as FakeSocket, messages, ends, headers };
}

const kWelcome = toBinary(
  DriveResponseSchema,
  create(DriveResponseSchema, { message: { case: "welcome", value: { epoch: 7n } } }),
);

test("sends the metadata first, then the messages that waited for the socket", () => {
  const { bidi, socket } = call();
  expect(socket.url).toBe("ws://host:7000/ridestream.dispatch.v1.DispatchService/Drive");
  expect(socket.protocol).toBe("grpc-websockets");
  bidi.send({ message: { case: "hello", value: { market: "city", seats: 4 } } });
  expect(socket.sent).toEqual([]);
  socket.open();
  const [metadata, hello] = socket.sent as [Uint8Array, Uint8Array];
  expect(new TextDecoder().decode(metadata)).toBe("ridestream-caller: driver/d-3\r\n");
  expect(hello[0]).toBe(0);
  const { flag, bytes } = parseFrame(hello.slice(1).buffer);
  expect(flag).toBe(0);
  expect(fromBinary(DriveRequestSchema, bytes).message.value).toMatchObject({ market: "city" });
  bidi.halfClose();
  expect(socket.sent[2]).toEqual(Uint8Array.of(1));
});

test("passes messages after the headers on, and ends once with the trailers", () => {
  const { socket, messages, ends, headers } = call();
  socket.open();
  socket.receiveHeaders("content-type: application/grpc-web+proto\r\n");
  socket.receive(0, kWelcome);
  socket.receiveHeaders("grpc-status: 10\r\ngrpc-message: a%20newer session\r\n");
  socket.close();
  expect(headers.map((each) => each.get("content-type"))).toEqual(["application/grpc-web+proto"]);
  expect(messages.map((each) => each.message.case)).toEqual(["welcome"]);
  expect(ends).toHaveLength(1);
  expect(ends[0]?.code).toBe(Code.Aborted);
  expect(ends[0]?.rawMessage).toBe("a newer session");
});

test("ends without an error on OK, and with UNAVAILABLE after a cut", () => {
  const good = call();
  good.socket.receiveHeaders("grpc-status: 0\r\n");
  expect(good.ends).toEqual([null]);
  const cut = call();
  cut.socket.close();
  expect(cut.ends[0]?.code).toBe(Code.Unavailable);
});

test("data that is not a frame ends the call", () => {
  const { socket, ends } = call();
  socket.onmessage?.({ data: Uint8Array.of(0, 0, 0, 0, 9, 1).buffer });
  expect(ends[0]?.code).toBe(Code.Internal);
});

test("cancel silences the listener", () => {
  const { bidi, socket, messages, ends } = call();
  bidi.cancel();
  socket.receive(0, kWelcome);
  expect([messages, ends]).toEqual([[], []]);
});
