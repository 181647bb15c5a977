import { connection } from "../state/connection.js";
import { Name } from "../widgets/name.js";
import { SignInLink } from "../widgets/sign_in.js";
import { useEachSecond } from "../widgets/use_each_second.js";
import "./connection_banner.css";

interface ConnectionBannerProps {
  /** Whether the page shows anything that may be out of date. */
  readonly hasState?: boolean;
}

/** Reports a lost connection and the time until the next attempt. Empty while all links are live. */
export function ConnectionBanner({ hasState = true }: ConnectionBannerProps) {
  const link = connection.value;
  useEachSecond();
  return (
    <div role="status" aria-live="polite" class="banner-place">
      {link.kind === "lost" && (
        <p class="banner">
          <strong>{hasState ? "Connection lost." : "The gateway can't be reached."}</strong>{" "}
          {hasState && "The page shows the last known state. "}Retrying
          {link.retryAtMs > Date.now() ? ` in ${secondsUntil(link.retryAtMs)} s` : " now"}.
        </p>
      )}
      {link.kind === "ended" && link.error && (
        <p class="banner">
          <strong>Live updates stopped:</strong> <Name of={link.error} /> <SignInLink />
        </p>
      )}
      {link.kind === "connecting" && hasState && <p class="banner quiet">Connecting …</p>}
    </div>
  );
}

function secondsUntil(ms: number): number {
  return Math.max(1, Math.ceil((ms - Date.now()) / 1000));
}
