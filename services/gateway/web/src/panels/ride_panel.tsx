import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { LiveCity } from "../city/live_city.js";
import type { CityClock } from "../city/time.js";
import { clockText, durationText, timeOfDay, toMs } from "../city/time.js";
import { stateName, moneyText } from "../city/story.js";
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
import { DriverLink } from "../widgets/driver_link.js";
import "../widgets/facts.css";
import "../widgets/form.css";
import { Name } from "../widgets/name.js";
import { PlaceChoice } from "../widgets/place_choice.js";
import { TripDot } from "../widgets/trip_dot.js";
import { useEachSecond } from "../widgets/use_each_second.js";
import "./ride_panel.css";

interface RidePanelProps {
  readonly ride: Ride;
  readonly city: LiveCity;
  readonly clock: CityClock;
}

/** The rider's side: two places, a price and a request, then the ride until its receipt. */
export function RidePanel({ ride, city, clock }: RidePanelProps) {
  const state = ride.state.value;
  return (
    <section aria-labelledby="ride-title">
      <h2 id="ride-title">{state.trip ? "Your ride" : "Where to?"}</h2>
      {state.trip ? (
        <Riding ride={ride} city={city} state={state} trip={state.trip} />
      ) : (
        <Choosing ride={ride} state={state} clock={clock} />
      )}
      <p role="alert" class="error">
        <Name of={state.error} />
      </p>
    </section>
  );
}

interface ChoosingProps extends Omit<RidePanelProps, "city"> {
  readonly state: RideState;
}

function Choosing({ ride, state, clock }: ChoosingProps) {
  const name = useSignal("");
  const note = useSignal("");
  const { quote } = state;
  useEachSecond();
  const leftS = quote ? (toMs(quote.expiresAt) - clock.now()) / 1000 : 0;
  const hasExpired = quote !== null && leftS <= 0;
  useEffect(() => {
    if (hasExpired) ride.renewQuote();
  }, [hasExpired]);
  useEffect(() => {
    ride.renewQuote();
    return () => ride.dropQuote();
  }, [ride]);
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
        <span>Share the ride for a lower price</span>
      </label>
      <label class="field">
        <span>Name</span>
        <input
          maxLength={32}
          autocomplete="given-name"
          dir="auto"
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
          dir="auto"
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
              {durationText(Number(quote.fare.duration?.seconds ?? 0))}
            </span>
            {quote.fare.surgeMinor > 0n && (
              <span data-testid="quote-surge">
                Includes {surgeMoney(quote.fare)} surge ({surgeFactor(quote.fare)}): few cars are
                free
              </span>
            )}
            {quote.promise && <PromiseText promise={quote.promise} />}
            <span class="note">
              {hasExpired ? "This price has expired." : `Price valid for ${clockText(leftS)}.`}
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

/** The surged price as a multiple of the usual price. */
function surgeFactor(fare: Fare): string {
  return `${((fare.tariff?.surgePercent ?? 100) / 100).toFixed(2).replace(/0$/, "")}×`;
}

function surgeMoney(fare: Fare): string {
  return moneyText({
    currencyCode: fare.tariff?.currencyCode ?? "USD",
    amountMinor: fare.surgeMinor,
  });
}

/** The promise to a rider who shares. */
function PromiseText({ promise }: { readonly promise: Promise_ }) {
  const within = (duration: Duration | undefined) => durationText(Number(duration?.seconds ?? 0));
  return (
    <span>
      Promise: pick-up within {within(promise.pickupWithin)}, arrival within{" "}
      {within(promise.dropoffWithin)}.
    </span>
  );
}

interface RidingProps {
  readonly ride: Ride;
  readonly state: RideState;
  readonly trip: Trip;
}

function Riding({ ride, city, state, trip }: RidingProps & { readonly city: LiveCity }) {
  const { progress } = state;
  const car = city.carOf(trip);
  return (
    <div class="riding">
      <p class="state-line" role="status">
        <TripDot state={trip.state} />
        <strong data-testid="ride-state">{stateName(trip.state)}</strong>
        {progress && progress.etaS > 0 && (
          <span>
            {trip.state === TripState.ABOARD ? "at the destination in " : "arrives in "}
            {durationText(progress.etaS)}
          </span>
        )}
      </p>
      {trip.driver && (
        <p>
          {car ? (
            <DriverLink driverId={car} name={trip.driver.name} />
          ) : (
            <Name of={trip.driver.name} />
          )}
          {", "}
          <Name of={trip.driver.vehicle?.model} />{" "}
          <span class="plate">
            <Name of={trip.driver.vehicle?.plate} />
          </span>
        </p>
      )}
      {progress?.promiseBroken && <p class="error">This ride will be later than promised.</p>}
      {state.link.kind === "lost" && <p class="error">Connection lost. Your ride continues.</p>}
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
          , arrival by {timeOfDay(toMs(trip.promise.latestDropoffAt))}
        </p>
      )}
      {trip.driverLostAt && (
        <p class="error">Contact with your driver was lost. You may cancel the ride.</p>
      )}
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
              <dt>Surge ({surgeFactor(fare)})</dt>
              <dd>{surgeMoney(fare)}</dd>
            </>
          )}
          {fare.sharedDiscountMinor > 0n && (
            <>
              <dt>Shared-ride discount</dt>
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
        New ride
      </button>
    </div>
  );
}
