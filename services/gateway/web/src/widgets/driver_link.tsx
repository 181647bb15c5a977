import { selection, tab } from "../state/page.js";
import "./driver_link.css";
import { Name } from "./name.js";

interface DriverLinkProps {
  readonly driverId: string;
  readonly name: string;
}

/** The name of a car whose driver the page knows by a pseudonym alone. */
export function carName(driverId: string): string {
  return `Car ${driverId.slice(0, 5)}`;
}

/** A driver's name. A click selects the driver's car. */
export function DriverLink({ driverId, name }: DriverLinkProps) {
  const select = () => {
    selection.value = { kind: "car", driverId };
    tab.value = "city";
  };
  return (
    <button type="button" class="link" onClick={select}>
      <Name of={name} or={carName(driverId)} />
    </button>
  );
}
