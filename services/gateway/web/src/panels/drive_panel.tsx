import { useSignal } from "@preact/signals";
import { newId } from "../api/ids.js";
import type { LngLat } from "../city/projection.js";
import { moneyText } from "../city/story.js";
import { clockText, toMs, type CityClock } from "../city/time.js";
import type { Drive, DriveState } from "../driver/drive.js";
import {
  GiveUpCause,
  StopAction,
  StopKind,
  type Offer,
  type Stop,
} from "../gen/ridestream/dispatch/v1/dispatch_pb.js";
import { streetGuide } from "../state/page.js";
import { ownDriver } from "../state/session.js";
import "../widgets/form.css";
import { Name } from "../widgets/name.js";
import { PlaceChoice } from "../widgets/place_choice.js";
import { StopList } from "../widgets/stop_list.js";
import { useEachSecond } from "../widgets/use_each_second.js";
import "./drive_panel.css";

interface DrivePanelProps {
  readonly drive: Drive;
  readonly clock: CityClock;
}

/** The driver's side: an offer to answer, a plan to drive, and the actions at its stops. */
export function DrivePanel({ drive, clock }: DrivePanelProps) {
  const state = drive.state.value;
  return (
    <section aria-labelledby="drive-title">
      <h2 id="drive-title">{state.driverId ? "You are driving" : "Drive a car"}</h2>
      {state.driverId ? (
        <Driving drive={drive} state={state} clock={clock} />
      ) : (
        <Starting drive={drive} />
      )}
      <p role="status" class="notice" data-testid="drive-notice">
        <Name of={state.notice} />
      </p>
    </section>
  );
}

function Starting({ drive }: { readonly drive: Drive }) {
  const place = useSignal<LngLat | null>(null);
  const seats = useSignal(4);
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!place.value) return;
        const driver = ownDriver() ?? `web-${newId().slice(0, 12)}`;
        drive.start(driver, place.value, seats.value, performance.now());
      }}
    >
      <p class="note">
        {ownDriver()
          ? "Place your car on a street."
          : "Place your own car on a street, or click any car on the map and take it over."}
      </p>
      <PlaceChoice
        label="Your car"
        place={place.value}
        onPlace={(chosen) => {
          place.value = streetGuide.value.cornerAt(chosen);
        }}
        asksAtOnce={!place.value}
      />
      <label class="field">
        <span>Seats</span>
        <input
          type="number"
          min="1"
          max="8"
          value={seats.value}
          onChange={(event) => {
            seats.value = event.currentTarget.valueAsNumber || 4;
          }}
        />
      </label>
      <button type="submit" class="primary" disabled={!place.value}>
        Start driving
      </button>
    </form>
  );
}

interface DrivingProps extends DrivePanelProps {
  readonly state: DriveState;
}

function Driving({ drive, state, clock }: DrivingProps) {
  const stops = state.plan?.stops ?? [];
  const next = stops[0];
  return (
    <div class="form">
      {state.link.kind !== "live" && <p class="error">Not connected. Retrying …</p>}
      {state.offer && <OfferCard drive={drive} offer={state.offer} clock={clock} />}
      {!state.offer && stops.length === 0 && (
        <p class="empty">Waiting for an offer. Your car is the one with the ring.</p>
      )}
      {next && <NextAction drive={drive} stop={next} isAtStop={state.isAtStop} />}
      {stops.length > 0 && <StopList stops={stops} />}
      {next?.kind === StopKind.PICK_UP && (
        <button
          type="button"
          class="secondary"
          onClick={() => drive.giveUp(GiveUpCause.CANT_DRIVE)}
        >
          Give up this ride
        </button>
      )}
      {next?.kind === StopKind.PICK_UP && next.arrived && (
        <button type="button" class="secondary" onClick={() => drive.giveUp(GiveUpCause.NO_SHOW)}>
          The rider did not come
        </button>
      )}
      <button type="button" class="danger" onClick={() => drive.stop()}>
        Stop driving
      </button>
    </div>
  );
}

function OfferCard({ drive, offer, clock }: { drive: Drive; offer: Offer; clock: CityClock }) {
  useEachSecond();
  const leftS = Math.max(0, (toMs(offer.expiresAt) - clock.now()) / 1000);
  const wholeS = Math.max(1, (toMs(offer.expiresAt) - toMs(offer.decidedAt)) / 1000);
  return (
    <article class="offer" aria-label="Offer">
      <p class="offer-fare">
        <strong>{moneyText(offer.fare)}</strong>
        <span>
          {offer.partySize === 1 ? "1 rider" : `${offer.partySize} riders`},{" "}
          {clockText(offer.pickupEtaS)} away
        </span>
      </p>
      <p class="note">
        {(offer.tripLengthM / 1000).toFixed(1)} km, {clockText(offer.tripDurationS)}
      </p>
      <div
        class="countdown"
        role="timer"
        aria-label={`${Math.ceil(leftS)} seconds left to answer`}
        style={{ "--part": leftS / wholeS }}
      >
        <span>{clockText(leftS)}</span>
      </div>
      <div class="pair">
        <button type="button" class="primary" onClick={() => drive.answer(true)}>
          Accept
        </button>
        <button type="button" class="secondary" onClick={() => drive.answer(false)}>
          Decline
        </button>
      </div>
    </article>
  );
}

function NextAction({ drive, stop, isAtStop }: { drive: Drive; stop: Stop; isAtStop: boolean }) {
  const name = <Name of={stop.passenger?.name} or="the rider" />;
  const [action, label] =
    stop.kind === StopKind.DROP_OFF
      ? [StopAction.DROPPED_OFF, <>I have dropped off {name}</>]
      : stop.arrived
        ? [StopAction.PICKED_UP, <>{name} is aboard</>]
        : [StopAction.ARRIVED, <>I have arrived for {name}</>];
  return (
    <button type="button" class="primary" disabled={!isAtStop} onClick={() => drive.act(action)}>
      {isAtStop ? label : <>Driving to {name} …</>}
    </button>
  );
}
