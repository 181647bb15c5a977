import { create } from "@bufbuild/protobuf";
import { startTimer } from "./connection.js";
import { type DriveRequest, DriveRequestSchema } from "./gen/ridestream/dispatch/v1/dispatch_pb.js";

/** Source and destination of a sender's messages. */
export interface Sending {
  /** Sends the request, and calls back when the next may be sent. */
  readonly write: (request: DriveRequest, onRoom: () => void) => void;
  /** The largest sequence that may be acked. */
  readonly ack: () => bigint;
  /** The next position report, if the app has set a position. */
  readonly position: () => DriveRequest | undefined;
  readonly reportEveryMs: number;
  readonly heartbeatMs: number;
}

/** Sends pending messages on a stream after its Welcome, and a position or a heartbeat when it is due. One
 * request is in flight at a time, and only `advance` sends. */
export class Sender {
  private readonly outgoing: DriveRequest[] = [];
  private acked = 0n;
  private isSending = false;
  private isClosed = false;
  private sentAt = performance.now();
  private reportedAt = Number.NEGATIVE_INFINITY;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly sending: Sending) {}

  /** Begins with a position, if there is one. */
  send(request: DriveRequest): void {
    // The position must precede a step at that position.
    if (request.message.case === "stopUpdate") this.report();
    this.outgoing.push(request);
    this.advance();
  }

  /** The push was repeated: acks it again. */
  ackAgain(sequence: bigint): void {
    if (sequence <= this.acked) this.acked = sequence - 1n;
  }

  /** Call when there is something to ack, or a first position. */
  advance(): void {
    if (this.isClosed || this.isSending) return;
    clearTimeout(this.timer);
    const request = this.next();
    const now = performance.now();
    if (request === undefined) {
      this.timer = startTimer(() => this.advance(), Math.max(0, this.dueAt() - now));
      return;
    }
    this.isSending = true;
    this.sentAt = now;
    this.sending.write(request, () => {
      this.isSending = false;
      this.advance();
    });
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  private next(): DriveRequest | undefined {
    const ack = this.sending.ack();
    if (ack > this.acked) {
      this.acked = ack;
      return create(DriveRequestSchema, { message: { case: "ack", value: { sequence: ack } } });
    }
    const now = performance.now();
    if (this.outgoing.length === 0 && now >= this.reportedAt + this.sending.reportEveryMs) {
      this.report();
    }
    const waiting = this.outgoing.shift();
    if (waiting !== undefined) return waiting;
    if (now < this.sentAt + this.sending.heartbeatMs) return undefined;
    return create(DriveRequestSchema, { message: { case: "heartbeat", value: {} } });
  }

  private report(): void {
    const position = this.sending.position();
    if (position === undefined) return;
    this.reportedAt = performance.now();
    this.outgoing.push(position);
  }

  private dueAt(): number {
    const heartbeatAt = this.sentAt + this.sending.heartbeatMs;
    // Without a position, there is nothing to report.
    if (this.reportedAt === Number.NEGATIVE_INFINITY) return heartbeatAt;
    return Math.min(heartbeatAt, this.reportedAt + this.sending.reportEveryMs);
  }
}
