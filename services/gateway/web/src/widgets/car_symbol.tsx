import { DriverState } from "../gen/ridestream/location/v1/location_pb.js";
import "./car_symbol.css";

export const kCarStateNames: Readonly<Record<number, string>> = {
  [DriverState.IDLE]: "free",
  [DriverState.OFFERED]: "has an offer",
  [DriverState.EN_ROUTE]: "on the way to a rider",
  [DriverState.OCCUPIED]: "carrying riders",
};

/** A car as the map draws it, in the colour of its state. */
export function CarSymbol({ state }: { readonly state: number }) {
  return (
    <svg class={`arrow state-${state}`} viewBox="-1 -1.1 2 2.1" aria-hidden="true">
      <path d="M0-1 .72.78 0 .42-.72.78Z" />
      {DriverState.OCCUPIED === (state as DriverState) && <circle r="0.26" cy="0.06" fill="#fff" />}
    </svg>
  );
}
