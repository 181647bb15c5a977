import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { CityClock } from "../city/time.js";
import { clockText, durationText, timeOfDay, toMs } from "../city/time.js";
import { kStateNames, moneyText } from "../city/story.js";
import { isOpen } from "../city/trips.js";
import type { Duration } from "@bufbuild/protobuf/wkt";
import {
  CancelReason,
  TripState,
  type Fare,
  type Promise as Promise_,
  type Trip,
} from "../gen/ridestream/trip/v1/trip_pb.js";
import type { Ride, RideState } from "../rider/ride.js";
import { PlaceChoice } from "../ui/place_choice.js";
import { second } from "../ui/state.js";
import { DriverLink } from "./trip_panel.js";

interface RidePanelProps {
  readonly ride: Ride;
  readonly clock: CityClock;
}

/** Being a rider: two points, a price, a request; then the ride until its receipt. */
export function RidePanel({ ride, clock }: RidePanelProps) {
  const state = ride.state.value;
  return (
    <section aria-labelledby="ride-title">
      <h2 id="ride-title">{state.trip ? "Your ride" : "Where to?"}</h2>
      {state.trip ? (
        <Riding ride={ride} state={state} trip={state.trip} />
      ) : (
        <Choosing ride={ride} state={state} clock={clock} />
      )}
      <p role="alert" class="error">
        {state.error}
      </p>
    </section>
  );
}

interface ChoosingProps extends RidePanelProps {
  readonly state: RideState;
}

function Choosing({ ride, state, clock }: ChoosingProps) {
  const name = useSignal("");
  const note = useSignal("");
  const { quote } = state;
  second.value;
  const leftS = quote ? (toMs(quote.expiresAt) - clock.now()) / 1000 : 0;
  const hasExpired = quote !== null && leftS <= 0;
  useEffect(() => {
    if (hasExpired) ride.renewQuote();
  }, [hasExpired]);
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        void ride.request(name.value, note.value);
      }}
    >
      <PlaceChoice
        label="Pick-up"
        place={state.pickup}
        onPlace={(pickup) => ride.choose({ pickup })}
        asksAtOnce={!state.pickup}
      />
      <PlaceChoice
        label="Destination"
        place={state.dropoff}
        onPlace={(dropoff) => ride.choose({ dropoff })}
        asksAtOnce={Boolean(state.pickup) && !state.dropoff}
      />
      <label class="field">
        <span>Riders</span>
        <input
          type="number"
          min="1"
          max="8"
          value={state.partySize}
          onChange={(event) => ride.choose({ partySize: event.currentTarget.valueAsNumber || 1 })}
        />
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={state.shared}
          onChange={(event) => ride.choose({ shared: event.currentTarget.checked })}
        />
        <span>Share the ride, for less</span>
      </label>
      <label class="field">
        <span>Name</span>
        <input
          maxLength={32}
          autocomplete="given-name"
          placeholder="You"
          onInput={(event) => {
            name.value = event.currentTarget.value;
          }}
        />
      </label>
      <label class="field">
        <span>Note</span>
        <input
          maxLength={80}
          placeholder="blue coat, at the corner"
          onInput={(event) => {
            note.value = event.currentTarget.value;
          }}
        />
      </label>
      <div class="form-end">
        {quote?.fare && (
          <div class="quote" role="status">
            <strong>{moneyText(quote.fare.total)}</strong>
            <span>
              {(quote.fare.lengthM / 1000).toFixed(1)} km,{" "}
              {durationText(Number(quote.fare.duration?.seconds ?? 0))} on the way
            </span>
            {quote.fare.surgeMinor > 0n && (
              <span data-testid="quote-surge">
                {surgeMoney(quote.fare)} of it since few cars are free ({surgeFactor(quote.fare)})
              </span>
            )}
            {quote.promise && <PromiseText promise={quote.promise} />}
            <span class="note">
              {hasExpired ? "This price has expired." : `This price holds for ${clockText(leftS)}.`}
            </span>
          </div>
        )}
        <button type="submit" class="primary" disabled={!quote || hasExpired || state.busy !== ""}>
          {state.busy ? `${state.busy} …` : "Request"}
        </button>
      </div>
    </form>
  );
}

/** How many times the usual price it is. */
function surgeFactor(fare: Fare): string {
  return `${((fare.tariff?.surgePercent ?? 100) / 100).toFixed(2).replace(/0$/, "")}×`;
}

function surgeMoney(fare: Fare): string {
  return moneyText({
    currencyCode: fare.tariff?.currencyCode ?? "USD",
    amountMinor: fare.surgeMinor,
  });
}

/** What a rider who shares is promised. */
function PromiseText({ promise }: { readonly promise: Promise_ }) {
  const within = (duration: Duration | undefined) => durationText(Number(duration?.seconds ?? 0));
  return (
    <span>
      Promised: picked up within {within(promise.pickupWithin)}, there within{" "}
      {within(promise.dropoffWithin)}.
    </span>
  );
}

interface RidingProps {
  readonly ride: Ride;
  readonly state: RideState;
  readonly trip: Trip;
}

function Riding({ ride, state, trip }: RidingProps) {
  const { progress } = state;
  return (
    <div class="riding">
      <p class="state-line" role="status">
        <span class={`dot trip-${TripState[trip.state].toLowerCase()}`} aria-hidden="true" />
        <strong data-testid="ride-state">{kStateNames[trip.state]}</strong>
        {progress && progress.etaS > 0 && (
          <span>
            {trip.state === TripState.ABOARD ? "there in " : "with you in "}
            {durationText(progress.etaS)}
          </span>
        )}
      </p>
      {trip.driver && (
        <p>
          <DriverLink driverId={trip.driver.driverId} name={trip.driver.name} />,{" "}
          {trip.driver.vehicle?.model} <span class="plate">{trip.driver.vehicle?.plate}</span>
        </p>
      )}
      {progress?.promiseBroken && <p class="error">This will be later than promised.</p>}
      {state.link.kind === "lost" && <p class="error">Connection lost; the ride goes on.</p>}
      {isOpen(trip.state) ? (
        <OpenRide ride={ride} state={state} trip={trip} />
      ) : (
        <Receipt ride={ride} trip={trip} />
      )}
    </div>
  );
}

function OpenRide({ ride, state, trip }: RidingProps) {
  return (
    <div class="form">
      {!trip.promise && (
        <PlaceChoice
          label="Destination"
          place={state.dropoff}
          onPlace={(place) => void ride.changeDestination(place)}
          action="Change"
        />
      )}
      <p>
        Fare <strong data-testid="fare">{moneyText(trip.fare?.total)}</strong>
      </p>
      {trip.promise && (
        <p class="note" data-testid="promise">
          Promised, by the city's clock: picked up by {timeOfDay(toMs(trip.promise.latestPickupAt))}
          , there by {timeOfDay(toMs(trip.promise.latestDropoffAt))}
        </p>
      )}
      {trip.driverLostAt && <p class="error">Nothing is heard of your driver. You may leave.</p>}
      {(trip.state !== TripState.ABOARD || trip.driverLostAt) && (
        <button
          type="button"
          class="danger"
          disabled={state.busy !== ""}
          onClick={() => void ride.cancel(CancelReason.CHANGED_MIND)}
        >
          Cancel the ride
        </button>
      )}
      {state.busy && <p class="note">{state.busy} …</p>}
    </div>
  );
}

function Receipt({ ride, trip }: { readonly ride: Ride; readonly trip: Trip }) {
  const { fare } = trip;
  const served = trip.state === TripState.COMPLETED;
  const currencyCode = fare?.tariff?.currencyCode ?? "USD";
  const money = (amountMinor: bigint | undefined) =>
    moneyText({ currencyCode, amountMinor: amountMinor ?? 0n });
  return (
    <div class="receipt">
      {served && fare && (
        <dl class="facts" aria-label="Receipt">
          <dt>Base</dt>
          <dd>{money(fare.tariff?.baseMinor)}</dd>
          <dt>{(fare.lengthM / 1000).toFixed(1)} km</dt>
          <dd>{money(fare.distancePartMinor)}</dd>
          <dt>{durationText(Number(fare.duration?.seconds ?? 0))}</dt>
          <dd>{money(fare.timePartMinor)}</dd>
          {fare.surgeMinor > 0n && (
            <>
              <dt>Few cars free ({surgeFactor(fare)})</dt>
              <dd>{surgeMoney(fare)}</dd>
            </>
          )}
          {fare.sharedDiscountMinor > 0n && (
            <>
              <dt>For sharing</dt>
              <dd>−{money(fare.sharedDiscountMinor)}</dd>
            </>
          )}
          <dt class="total">Total</dt>
          <dd class="total" data-testid="receipt-total">
            {moneyText(fare.total)}
          </dd>
        </dl>
      )}
      <button type="button" class="primary" onClick={() => ride.reset()}>
        Another ride
      </button>
    </div>
  );
}
