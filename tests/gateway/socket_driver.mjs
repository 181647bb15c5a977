// A driver in a browser: the bidirectional stream through improbable's WebSocket transport.

import { EventEmitter, on } from "node:events";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import improbable from "@improbable-eng/grpc-web";
import { WebSocket } from "ws";
import { DispatchService, pickup } from "./api.mjs";

const { grpc } = improbable;
const drive = DispatchService.method.drive;

// Browser globals that the transport expects.
globalThis.WebSocket = WebSocket;

const definition = {
  methodName: "Drive",
  service: { serviceName: DispatchService.typeName },
  requestStream: true,
  responseStream: true,
  requestType: Object,
  responseType: {
    deserializeBinary: (bytes) => ({ message: fromBinary(drive.output, bytes) }),
  },
};

export class SocketDriver {
  /** `proof` is metadata that proves the driver `id`. */
  constructor(url, id, proof) {
    this.events = new EventEmitter();
    this.pushes = on(this.events, "push");
    this.ended = new Promise((resolve) => {
      this.client = grpc.client(definition, { host: url, transport: grpc.WebsocketTransport() });
      this.client.onEnd((code, message) => resolve({ code, message }));
    });
    this.client.onMessage(({ message }) => {
      if (message.sequence > 0n) this.send("ack", { sequence: message.sequence });
      this.events.emit("push", message.message);
    });
    this.client.start(new grpc.Metadata(proof));
    this.send("hello", { market: "city", name: `Driver ${id}`, seats: 4, vehicle: { model: "Test" } });
    this.sequence = 0n;
    this.reporting = setInterval(() => this.report(), 100);
  }

  send(kind, value) {
    const request = create(drive.input, { message: { case: kind, value } });
    this.client.send({ serializeBinary: () => toBinary(drive.input, request) });
  }

  report() {
    this.send("position", { sequence: ++this.sequence, ...pickup });
  }

  /** The next push of this kind that fits. */
  async next(kind, fits = () => true) {
    for (;;) {
      const [push] = (await this.pushes.next()).value;
      if (push.case === kind && fits(push.value)) return push.value;
    }
  }

  /** Half-closes; resolves to the call's status. */
  async finish() {
    clearInterval(this.reporting);
    this.client.finishSend();
    return this.ended;
  }

  close() {
    clearInterval(this.reporting);
    this.client.close();
  }
}
