/** A new name, unlike any other: 24 hexadecimal digits. Needs no secure context. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A name of this browser's own, kept so that a ride is found again after a reload. */
export function ownId(kind: string): string {
  const key = `ridestream-${kind}`;
  const id = localStorage.getItem(key) ?? `web-${newId().slice(0, 12)}`;
  localStorage.setItem(key, id);
  return id;
}
