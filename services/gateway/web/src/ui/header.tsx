import { timeOfDay, type CityClock } from "../city/time.js";
import { FiguresStrip } from "./figures_strip.js";
import { connection, second, theme, toggleTheme } from "./state.js";

interface HeaderProps {
  readonly market: string;
  readonly markets: readonly string[];
  readonly clock: CityClock;
}

export function Header({ market, markets, clock }: HeaderProps) {
  const live = connection.value.kind === "live";
  second.value;
  return (
    <header class="header">
      <div class="title">
        <h1>Ridestream</h1>
        <p>
          <MarketChoice market={market} markets={markets} />
          <span class={live ? "pulse live" : "pulse"} aria-hidden="true" />
          <time title="The city's clock">{timeOfDay(clock.now())}</time>
          {clock.rate !== 1 && (
            <abbr title={`The city's clock runs ${clock.rate} times as fast as yours`}>
              ×{Number(clock.rate.toFixed(2))}
            </abbr>
          )}
        </p>
      </div>
      <FiguresStrip />
      <button
        type="button"
        class="icon-button"
        onClick={toggleTheme}
        aria-label={theme.value === "dark" ? "Use light colours" : "Use dark colours"}
      >
        {theme.value === "dark" ? "☀" : "☾"}
      </button>
    </header>
  );
}

function MarketChoice({ market, markets }: Pick<HeaderProps, "market" | "markets">) {
  if (markets.length < 2) return <span class="market">{market}</span>;
  const go = (name: string) => {
    const url = new URL(location.href);
    url.searchParams.set("market", name);
    location.assign(url);
  };
  return (
    <select class="market" aria-label="City" onChange={(event) => go(event.currentTarget.value)}>
      {markets.map((name) => (
        <option key={name} selected={name === market}>
          {name}
        </option>
      ))}
    </select>
  );
}

/** Says that the connection is lost and when it is tried again; silent while all is well. */
export function ConnectionBanner() {
  const link = connection.value;
  second.value;
  return (
    <div role="status" aria-live="polite" class="banner-place">
      {link.kind === "lost" && (
        <p class="banner">
          <strong>Connection lost.</strong> What you see is the last that was heard. Trying again
          {link.retryAtMs > Date.now() ? ` in ${secondsUntil(link.retryAtMs)} s` : " now"}.
        </p>
      )}
      {link.kind === "ended" && link.error && (
        <p class="banner">
          <strong>The city can't be followed:</strong> {link.error}
        </p>
      )}
      {link.kind === "connecting" && <p class="banner quiet">Connecting …</p>}
    </div>
  );
}

function secondsUntil(ms: number): number {
  return Math.max(1, Math.ceil((ms - Date.now()) / 1000));
}
