import { computed, signal } from "@preact/signals";
import type { Link } from "../api/follow.js";

/** The state of everything that the page follows. */
export const links = signal<Readonly<Record<"market" | "cars" | "trips", Link>>>({
  market: { kind: "connecting" },
  cars: { kind: "connecting" },
  trips: { kind: "connecting" },
});

/** The worst of the links, which is what the page reports about the connection. */
export const connection = computed<Link>(() => {
  const all = Object.values(links.value);
  return (
    all.find((link) => link.kind === "lost") ??
    all.find((link) => link.kind === "ended") ??
    all.find((link) => link.kind === "connecting") ?? { kind: "live" }
  );
});

export function setLink(name: keyof typeof links.value, link: Link): void {
  links.value = { ...links.value, [name]: link };
}
