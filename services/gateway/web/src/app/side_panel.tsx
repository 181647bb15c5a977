import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { selection, tab, type Tab } from "../state/page.js";
import { mayDrive, mayRide } from "../state/session.js";
import "./side_panel.css";

const kTabs: readonly { readonly tab: Tab; readonly label: string }[] = [
  { tab: "city", label: "City" },
  { tab: "ride", label: "Ride" },
  { tab: "drive", label: "Drive" },
];

interface SidePanelProps {
  readonly city: ComponentChildren;
  readonly ride: ComponentChildren;
  readonly drive: ComponentChildren;
  /** The selected car or trip, which covers the city's panel. */
  readonly selected: ComponentChildren;
}

/** The tabs beside the map, and the panel of the chosen one. */
export function SidePanel({ city, ride, drive, selected }: SidePanelProps) {
  const contents = { city: selection.value ? selected : city, ride, drive };
  const mayShow = { city: true, ride: mayRide(), drive: mayDrive() };
  const tabs = kTabs.filter((each) => mayShow[each.tab]);
  const content = useRef<HTMLDivElement>(null);
  const shown = useRef(selection.value);
  useEffect(() => {
    if (shown.current === selection.value) return;
    shown.current = selection.value;
    // The focused element may be gone with the old content: keyboard users continue from here.
    if (document.activeElement === document.body) content.current?.focus();
  }, [selection.value]);
  const choose = (next: Tab) => {
    tab.value = next;
    if (next === "city") selection.value = null;
  };
  const onKey = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    const at = tabs.findIndex((each) => each.tab === tab.value);
    const next = tabs[(at + step + tabs.length) % tabs.length]?.tab ?? "city";
    choose(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <aside class="panel">
      <div role="tablist" aria-label="Panels" class="tabs" onKeyDown={onKey}>
        {tabs.map((each) => (
          <button
            key={each.tab}
            id={`tab-${each.tab}`}
            type="button"
            role="tab"
            aria-selected={tab.value === each.tab}
            aria-controls="panel-content"
            tabIndex={tab.value === each.tab ? 0 : -1}
            onClick={() => choose(each.tab)}
          >
            {each.label}
          </button>
        ))}
      </div>
      <div
        ref={content}
        id="panel-content"
        role="tabpanel"
        tabIndex={-1}
        aria-labelledby={`tab-${tab.value}`}
        class="panel-content"
      >
        {tab.value === "city" && selection.value && (
          <button
            type="button"
            class="back"
            onClick={() => {
              selection.value = null;
            }}
          >
            ← Back to the city
          </button>
        )}
        {contents[tab.value]}
      </div>
    </aside>
  );
}
