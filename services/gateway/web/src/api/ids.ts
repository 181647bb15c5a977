/** A new random id of 24 hexadecimal digits. Needs no secure context. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** An id of this browser, kept so that an open ride is found again after a reload. */
export function ownId(kind: string): string {
  const key = `ridestream-${kind}`;
  const id = localStorage.getItem(key) ?? `web-${newId().slice(0, 12)}`;
  localStorage.setItem(key, id);
  return id;
}
