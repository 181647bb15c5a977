import type { ComponentChild } from "preact";
import { render } from "preact";
import { act } from "preact/test-utils";

let root: HTMLElement | null = null;

/** Shows an element in the document, in place of the one before. */
export async function show(element: ComponentChild): Promise<HTMLElement> {
  const shownIn = (root ??= document.body.appendChild(document.createElement("div")));
  await act(() => render(element, shownIn));
  return shownIn;
}

/** Unmounts what is shown. */
export async function close(): Promise<void> {
  if (root) await show(null);
}

/** The button with this label. Throws if there is none. */
export function button(label: string): HTMLButtonElement {
  const found = [...document.querySelectorAll("button")].find(
    (each) => each.textContent?.trim() === label,
  );
  if (!found) throw new Error(`no button "${label}" in: ${document.body.textContent}`);
  return found;
}

export async function click(label: string): Promise<void> {
  await act(() => button(label).click());
}

/** Runs `change`, and lets the components follow. */
export async function after(change: () => void): Promise<void> {
  await act(change);
}
