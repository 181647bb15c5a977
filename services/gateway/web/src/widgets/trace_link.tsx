import { session } from "../state/session.js";

/** The sampled trace of a W3C `traceparent`. */
const kSampled = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f][13579bdf]$/;

/** The page that shows the trace; null without such a page, and for a trace that wasn't sampled. */
function traceHref(traceparent: string): string | null {
  const traceId = kSampled.exec(traceparent)?.[1];
  const template = session.value.traceUrl;
  // The gateway has checked its template; still, no link shall ever run a script.
  if (!traceId || !template || !/^https?:\/\//.test(template)) return null;
  return template.replace("{trace_id}", traceId);
}

/** A row of a trip's facts that leads to its trace, where there is one to show. */
export function TraceFact({ traceparent }: { readonly traceparent: string }) {
  const href = traceHref(traceparent);
  if (!href) return null;
  return (
    <>
      <dt>Trace</dt>
      <dd>
        <a class="trace-link" href={href} target="_blank" rel="noopener noreferrer">
          Show its spans
        </a>
      </dd>
    </>
  );
}
