import type { Caller } from "./transport.js";

/** What the gateway says about this browser's session. */
export interface Session {
  /** The path at which to sign in; null if the gateway offers no sign-in. */
  readonly signIn: string | null;
  readonly isOpen: boolean;
  /** The person who signed in. Null without a session, and for a session that may act as anybody. */
  readonly person: Caller | null;
  /** Template of the page that shows a trace, with `{trace_id}`; null if there is none. */
  readonly traceUrl: string | null;
}

export const kNoSession: Session = { signIn: null, isOpen: false, person: null, traceUrl: null };

/** Asks the gateway. Throws if it can't be reached. */
export async function readSession(signal: AbortSignal): Promise<Session> {
  const response = await fetch("/session", { signal });
  if (!response.ok) throw new Error(`/session answers with the status ${response.status}`);
  const answer = (await response.json()) as {
    signIn?: string;
    session?: { caller?: Caller };
    traceUrl?: string;
  };
  return {
    signIn: answer.signIn ?? null,
    isOpen: answer.session !== undefined,
    person: answer.session?.caller ?? null,
    traceUrl: answer.traceUrl ?? null,
  };
}

/** Ends this browser's session. Throws if the gateway can't be reached. */
export async function signOut(): Promise<void> {
  const response = await fetch("/sign-out", { method: "POST" });
  if (!response.ok) throw new Error(`/sign-out answers with the status ${response.status}`);
}

/** Whether somebody may act in a role: a person who signed in has one, everybody else has all. */
export function mayActAs(role: "rider" | "driver", { person }: Session): boolean {
  return person === null || person.startsWith(`${role}/`);
}

/** The person's id in a role; null if the page may choose one. */
export function personsId(role: "rider" | "driver", { person }: Session): string | null {
  return person?.startsWith(`${role}/`) ? person.slice(role.length + 1) : null;
}
