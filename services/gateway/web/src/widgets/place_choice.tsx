import { useEffect, useId, useMemo } from "preact/hooks";
import type { LngLat } from "../city/projection.js";
import { placing, streetGuide } from "../state/page.js";
import "./place_choice.css";
import { visibleText } from "./name.js";

interface PlaceChoiceProps {
  readonly label: string;
  readonly place: LngLat | null;
  readonly onPlace: (place: LngLat) => void;
  /** Asks for a click on the map as soon as the widget is shown. */
  readonly asksAtOnce?: boolean;
  readonly action?: string;
}

/** Lets the user choose a place by a click on the map or by the name of a street. */
export function PlaceChoice({ label, place, onPlace, asksAtOnce, action }: PlaceChoiceProps) {
  const listId = useId();
  const guide = streetGuide.value;
  const nearby = useMemo(() => (place ? visibleText(guide.streetAt(place)) : ""), [place, guide]);
  const prompt = `Click the map: ${label.toLowerCase()}`;
  const isAsking = placing.value?.prompt === prompt;
  const ask = () => {
    placing.value = { prompt, onPlace };
  };
  useEffect(() => {
    if (asksAtOnce) ask();
  }, [asksAtOnce]);
  useEffect(
    () => () => {
      if (placing.value?.prompt === prompt) placing.value = null;
    },
    [],
  );
  const chooseByName = (name: string) => {
    const street = guide.named.find((each) => each.name === name);
    if (!street) return;
    if (isAsking) placing.value = null;
    onPlace(street.middle);
  };
  return (
    <fieldset class={isAsking ? "place asking" : "place"}>
      <legend>{label}</legend>
      {guide.named.length > 0 && (
        <>
          <input
            list={listId}
            aria-label={`${label}: street`}
            dir="auto"
            placeholder={nearby || "street name"}
            onChange={(event) => chooseByName(event.currentTarget.value)}
          />
          <datalist id={listId}>
            {guide.named.map((street) => (
              <option key={street.name} value={street.name} />
            ))}
          </datalist>
        </>
      )}
      <button type="button" class="secondary" aria-pressed={isAsking} onClick={ask}>
        {action ?? (place ? "Move" : "On map")}
      </button>
    </fieldset>
  );
}
