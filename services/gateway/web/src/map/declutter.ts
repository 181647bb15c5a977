/** The place of a label, in any unit. */
export interface Labelled {
  readonly x: number;
  readonly y: number;
}

/** The labels that don't overlap, each `width` by `height` (in the places' unit) around its place.
 * Of two that overlap, the earlier one in the list stays. */
export function declutter<T extends Labelled>(
  labels: readonly T[],
  width: number,
  height: number,
): T[] {
  // A cell has the size of a label, so only labels in neighbouring cells can overlap.
  const cells = new Map<string, T[]>();
  const overlaps = (a: Labelled, b: Labelled) =>
    Math.abs(a.x - b.x) < width && Math.abs(a.y - b.y) < height;
  return labels.filter((label) => {
    const [column, row] = [Math.floor(label.x / width), Math.floor(label.y / height)];
    for (const c of [column - 1, column, column + 1]) {
      for (const r of [row - 1, row, row + 1]) {
        if (cells.get(`${c},${r}`)?.some((other) => overlaps(label, other))) return false;
      }
    }
    const own = cells.get(`${column},${row}`);
    if (own) own.push(label);
    else cells.set(`${column},${row}`, [label]);
    return true;
  });
}
