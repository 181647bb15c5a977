import { second } from "../state/second.js";

/** Renders the calling component again each second, for ages and countdowns. */
export function useEachSecond(): void {
  void second.value; // Reading a signal subscribes the component that is being rendered.
}
