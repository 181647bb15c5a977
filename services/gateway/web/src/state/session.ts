import { signal } from "@preact/signals";
import { kNoSession, mayActAs, personsId, type Session } from "../api/session.js";

/** This browser's session, as it was when the page started. */
export const session = signal<Session>(kNoSession);

/** Whether this browser may request rides. */
export function mayRide(): boolean {
  return mayActAs("rider", session.value);
}

/** Whether this browser may drive a car. */
export function mayDrive(): boolean {
  return mayActAs("driver", session.value);
}

/** The driver who signed in; null if the page may choose a driver. */
export function ownDriver(): string | null {
  return personsId("driver", session.value);
}
