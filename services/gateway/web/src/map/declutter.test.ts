import { expect, test } from "vitest";
import { declutter } from "./declutter.js";

const at = (x: number, y: number) => ({ x, y });

test("keeps labels that touch, and the earlier of two that overlap", () => {
  const [first, over, beside, below] = [at(0, 0), at(9, 4), at(10, 0), at(0, 5)];
  expect(declutter([first, over, beside, below], 10, 5)).toEqual([first, beside, below]);
  expect(declutter([over, first, beside, below], 10, 5)).toEqual([over]);
});

test("a dropped label hides no other label", () => {
  const [first, second, third] = [at(0, 0), at(6, 0), at(12, 0)];
  expect(declutter([first, second, third], 10, 5)).toEqual([first, third]);
});

test("kept labels never overlap, and each dropped label overlaps a kept one", () => {
  const labels = Array.from({ length: 500 }, (_, i) => at((i * 37) % 211, (i * 53) % 97));
  const kept = declutter(labels, 12, 7);
  const overlaps = (a: { x: number; y: number }, b: { x: number; y: number }) =>
    Math.abs(a.x - b.x) < 12 && Math.abs(a.y - b.y) < 7;
  for (const label of labels) {
    const others = kept.filter((other) => other !== label && overlaps(label, other));
    expect(others.length > 0).toBe(!kept.includes(label));
  }
});
