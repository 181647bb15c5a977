import { timeOfDay, type CityClock } from "../city/time.js";
import { FiguresStrip } from "./figures_strip.js";
import { connection } from "../state/connection.js";
import { theme, toggleTheme } from "../state/page.js";
import { Name, visibleText } from "../widgets/name.js";
import { SignedIn } from "../widgets/sign_in.js";
import { useEachSecond } from "../widgets/use_each_second.js";
import "./header.css";

interface HeaderProps {
  readonly market: string;
  readonly markets: readonly string[];
  readonly clock: CityClock;
}

export function Header({ market, markets, clock }: HeaderProps) {
  const live = connection.value.kind === "live";
  useEachSecond();
  return (
    <header class="header">
      <div class="title">
        <h1>Ridestream</h1>
        <p>
          <MarketChoice market={market} markets={markets} />
          <span class={live ? "pulse live" : "pulse"} aria-hidden="true" />
          <time title="The city's clock">{timeOfDay(clock.now())}</time>
          {clock.rate !== 1 && (
            <abbr title={`The city's clock runs ${clock.rate} times as fast as real time`}>
              ×{Number(clock.rate.toFixed(2))}
            </abbr>
          )}
        </p>
      </div>
      <FiguresStrip />
      <SignedIn />
      <button
        type="button"
        class="icon-button"
        onClick={toggleTheme}
        aria-label={theme.value === "dark" ? "Use the light theme" : "Use the dark theme"}
      >
        {theme.value === "dark" ? "☀" : "☾"}
      </button>
    </header>
  );
}

function MarketChoice({ market, markets }: Pick<HeaderProps, "market" | "markets">) {
  if (markets.length < 2) {
    return (
      <span class="market">
        <Name of={market} />
      </span>
    );
  }
  const go = (name: string) => {
    const url = new URL(location.href);
    url.searchParams.set("market", name);
    location.assign(url);
  };
  return (
    <select class="market" aria-label="City" onChange={(event) => go(event.currentTarget.value)}>
      {markets.map((name) => (
        <option key={name} value={name} selected={name === market}>
          {visibleText(name)}
        </option>
      ))}
    </select>
  );
}
