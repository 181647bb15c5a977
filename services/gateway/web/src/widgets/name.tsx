import "./name.css";

interface NameProps {
  readonly of: string | undefined;
  /** Shown when the name has no visible character. */
  readonly or?: string;
}

/** A name or another text from outside. Its writing direction affects nothing around it. */
export function Name({ of, or = "" }: NameProps) {
  return <bdi class="name">{visibleText(of, or)}</bdi>;
}

/** The text without control characters and without characters that override the writing direction;
 * `fallback` if nothing visible remains. */
export function visibleText(text: string | undefined, fallback = ""): string {
  const visible = (text ?? "").replace(/\p{Bidi_Control}/gu, "").replace(/[\p{Cc}\s]+/gu, " ");
  return /[^\p{Cc}\p{Cf}\p{Z}\p{M}]/u.test(visible) ? visible.trim() : fallback;
}
