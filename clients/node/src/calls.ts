import {
  type DescMessage,
  type DescMethod,
  type DescMethodBiDiStreaming,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type {
  Client,
  ClientDuplexStream,
  ClientReadableStream,
  Metadata,
  ServiceError,
} from "@grpc/grpc-js";
import { ProtocolError, statusOf } from "./errors.js";

// gRPC calls by the descriptors of the generated code. Responses stay bytes until `decode`, because grpc-js
// would report an invalid message as a status of the service.

/** Throws ProtocolError. */
export function decode<M extends DescMessage>(schema: M, bytes: Uint8Array): MessageShape<M> {
  try {
    return fromBinary(schema, bytes);
  } catch {
    throw new ProtocolError(`a message came that is no ${schema.name}`);
  }
}

/** Rejects with StatusError, ProtocolError, or the reason of an aborted signal. */
export function callUnary<I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: DescMethodUnary<I, O>,
  request: MessageShape<I>,
  metadata: Metadata,
  deadlineMs: number,
  signals: readonly AbortSignal[],
): Promise<MessageShape<O>> {
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest(
      pathOf(method),
      encoder(method.input),
      asBytes,
      request,
      metadata,
      { deadline: Date.now() + deadlineMs },
      (error: ServiceError | null, bytes?: Buffer) => {
        forget();
        try {
          if (error !== null) throw statusOf(error);
          resolve(decode(method.output, bytes ?? Buffer.alloc(0)));
        } catch (failure) {
          reject(failure);
        }
      },
    );
    const forget = onAbort(signals, (reason) => {
      reject(reason);
      call.cancel();
    });
  });
}

export function callServerStreaming<I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: DescMethodServerStreaming<I, O>,
  request: MessageShape<I>,
  metadata: Metadata,
): ClientReadableStream<Buffer> {
  const encode = encoder(method.input);
  return client.makeServerStreamRequest(pathOf(method), encode, asBytes, request, metadata);
}

export function callBidi<I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: DescMethodBiDiStreaming<I, O>,
  metadata: Metadata,
): ClientDuplexStream<MessageShape<I>, Buffer> {
  return client.makeBidiStreamRequest(pathOf(method), encoder(method.input), asBytes, metadata);
}

/** Calls back once when the first signal aborts or if one is already aborted. The result removes the listeners. */
export function onAbort(
  signals: readonly AbortSignal[],
  callback: (reason: Error) => void,
): () => void {
  const listeners = signals.map((signal) => {
    const listener = (): void => {
      forget();
      callback(signal.reason as Error);
    };
    return { signal, listener };
  });
  const forget = (): void => {
    for (const { signal, listener } of listeners) signal.removeEventListener("abort", listener);
  };
  for (const { signal, listener } of listeners) {
    if (signal.aborted) {
      listener();
      break;
    }
    signal.addEventListener("abort", listener);
  }
  return forget;
}

function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function encoder<M extends DescMessage>(schema: M): (message: MessageShape<M>) => Buffer {
  return (message) => Buffer.from(toBinary(schema, message));
}

function asBytes(bytes: Buffer): Buffer {
  return bytes;
}
