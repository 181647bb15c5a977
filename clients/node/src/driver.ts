import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  checkId,
  checkRange,
  checkText,
  kMaxName,
  kMaxPlate,
  kMaxSeats,
  kMaxText,
  place,
} from "./checks.js";
import type { CommandResult } from "./commands.js";
import type { Connection } from "./connection.js";
import type { VehicleSchema } from "./gen/ridestream/common/v1/common_pb.js";
import {
  EndShiftSchema,
  GiveUpCause,
  GiveUpSchema,
  HelloSchema,
  type Offer,
  OfferAnswerSchema,
  type OfferEnded,
  type Plan,
  PositionSchema,
  StopAction,
  StopUpdateSchema,
} from "./gen/ridestream/dispatch/v1/dispatch_pb.js";
import type { Event } from "./session.js";
import { Stream } from "./stream.js";

/** The driver and car at the start of a shift. */
export interface Shift {
  readonly market: string;
  /** Passenger seats, 1 to 8. */
  readonly seats: number;
  readonly name?: string;
  readonly vehicle?: MessageInitShape<typeof VehicleSchema>;
  /** Whether riders who share may be inserted into the current plan without an offer. */
  readonly acceptsInsertions?: boolean;
}

/**
 * A driver's shift. Connects at once. Iterate over its events until the shift ends:
 *
 *     const driver = new Driver(connection, { market: "city", seats: 4 });
 *     driver.moveTo(lat, lng);
 *     for await (const event of driver) …
 *
 * Commands (`accept`, `arrived`, …) wait until they take effect, across reconnects, and may be repeated.
 * Iteration throws the StatusError or ProtocolError that ended the stream permanently. Leaving the loop
 * doesn't end the shift: another loop continues.
 */
export class Driver implements AsyncIterable<Event>, AsyncDisposable {
  private readonly stream: Stream;

  /** Throws InvalidArgument. */
  constructor(connection: Connection, shift: Shift) {
    const hello = create(HelloSchema, shift);
    checkRange(shift.seats, 1, kMaxSeats, "hello.seats");
    checkId(hello.market, "hello.market");
    checkText(hello.name, kMaxName, "hello.name");
    checkText(hello.vehicle?.model ?? "", kMaxName, "hello.vehicle.model");
    checkText(hello.vehicle?.plate ?? "", kMaxPlate, "hello.vehicle.plate");
    this.stream = new Stream(connection, hello);
  }

  /** The events, in order. A push is acked when the loop has received it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Event, void, undefined> {
    for (;;) {
      const event = await this.stream.nextEvent();
      if (event === undefined) return;
      yield event;
    }
  }

  /** Closes the stream. The service keeps the session for a resume; `endShift` ends it. */
  close(): Promise<void> {
    return this.stream.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Whether the stream is open and has received its Welcome. */
  get isLive(): boolean {
    return this.stream.isLive;
  }

  /** The newest plan; undefined if there is none or it isn't known yet. */
  get plan(): Plan | undefined {
    return this.stream.session.plan;
  }

  /** The open offer, if there is one. */
  get offer(): Offer | undefined {
    return this.stream.session.offer;
  }

  /** The time left to answer the offer, by this device's clock. */
  msLeft(offer: Offer): number {
    return this.stream.msLeft(offer);
  }

  /** Sets the car's position in degrees, heading in degrees clockwise from north, and speed in metres per
   * second. They are sent as often as the service requests; call this at any rate. Throws InvalidArgument. */
  moveTo(lat: number, lng: number, headingDeg = 0, speedMPerS = 0): void {
    const { latE7, lngE7 } = place(lat, lng, "position");
    const speedDmPerS = Math.round(speedMPerS * 10);
    checkRange(headingDeg, 0, 359, "position.heading_deg");
    checkRange(speedDmPerS, 0, 2 ** 32 - 1, "position.speed_dm_per_s");
    this.stream.moveTo(create(PositionSchema, { latE7, lngE7, headingDeg, speedDmPerS }));
  }

  /** Accepts the offer. The driver has the trip only if the outcome is ACCEPTED. */
  accept(offer: Pick<Offer, "offerId">): Promise<OfferEnded> {
    return this.answer(offer.offerId, true);
  }

  /** Declines the offer. */
  decline(offer: Pick<Offer, "offerId">): Promise<OfferEnded> {
    return this.answer(offer.offerId, false);
  }

  /** Reports the arrival at the pick-up. Like the following methods, resolves with the plan that shows the
   * step, or rejects with CommandRejected. */
  arrived(tripId: string): Promise<Plan> {
    return this.step(tripId, StopAction.ARRIVED);
  }

  /** Reports that the rider is in the car. */
  pickedUp(tripId: string): Promise<Plan> {
    return this.step(tripId, StopAction.PICKED_UP);
  }

  /** Reports the end of the ride. */
  droppedOff(tripId: string): Promise<Plan> {
    return this.step(tripId, StopAction.DROPPED_OFF);
  }

  /** Gives up a trip before its pick-up. */
  async giveUp(tripId: string, reason = "", cause = GiveUpCause.CANT_DRIVE): Promise<Plan> {
    checkId(tripId, "give_up.trip_id");
    checkText(reason, kMaxText, "give_up.reason");
    const value = create(GiveUpSchema, { tripId, reason, cause });
    return expectPlan(await this.stream.command({ case: "giveUp", value }));
  }

  /** Ends the session, and then the iteration. Rejects with CommandRejected while the driver has a plan. */
  async endShift(): Promise<void> {
    await this.stream.command({ case: "endShift", value: create(EndShiftSchema) });
  }

  private async answer(offerId: string, accept: boolean): Promise<OfferEnded> {
    checkId(offerId, "offer_answer.offer_id");
    const value = create(OfferAnswerSchema, { offerId, accept });
    const result = await this.stream.command({ case: "offerAnswer", value });
    if (result?.$typeName !== "ridestream.dispatch.v1.OfferEnded") {
      throw new TypeError("an answer resolved with another message");
    }
    return result;
  }

  private async step(tripId: string, action: StopAction): Promise<Plan> {
    checkId(tripId, "stop_update.trip_id");
    const value = create(StopUpdateSchema, { tripId, action });
    return expectPlan(await this.stream.command({ case: "stopUpdate", value }));
  }
}

function expectPlan(result: CommandResult): Plan {
  if (result?.$typeName === "ridestream.dispatch.v1.Plan") return result;
  throw new TypeError("a command resolved with another message than a plan");
}
