import { expect, test } from "vitest";
import type { AreaBatch } from "./area_feed.js";
import { Cars, shortTurn } from "./cars.js";

interface Report {
  readonly slot: number;
  readonly x: number;
  readonly y: number;
  readonly heading?: number;
  readonly state?: number;
}

function batch(reports: readonly Report[], joined: string[] = [], left: number[] = []): AreaBatch {
  return {
    slots: Uint32Array.from(reports, (report) => report.slot),
    places: Float32Array.from(reports.flatMap((report) => [report.x, report.y])),
    headings: Uint16Array.from(reports, (report) => report.heading ?? 0),
    states: Uint8Array.from(reports, (report) => report.state ?? 1),
    freeSeats: Uint8Array.from(reports, () => 4),
    joined: joined.map((driverId, i) => ({ slot: reports[i]?.slot ?? 0, driverId })),
    left: Uint32Array.from(left),
  };
}

test("a car moves from where it is drawn to the reported place", () => {
  const cars = new Cars();
  cars.apply(batch([{ slot: 0, x: 0, y: 0 }], ["a"]), 10);
  cars.apply(batch([{ slot: 0, x: 100, y: 0 }]), 11);
  expect(cars.view(0, 11)?.x).toBeCloseTo(0);
  const halfway = cars.view(0, 11.5)?.x ?? 0;
  expect(halfway).toBeGreaterThan(30);
  expect(halfway).toBeLessThan(70);
  // The next report comes before the car has arrived: it continues without a jump.
  cars.apply(batch([{ slot: 0, x: 200, y: 0 }]), 11.5);
  expect(cars.view(0, 11.5)?.x).toBeCloseTo(halfway);
  expect(cars.view(0, 20)?.x).toBeCloseTo(200);
});

test("a car that was reported far away is moved there at once", () => {
  const cars = new Cars();
  cars.apply(batch([{ slot: 0, x: 0, y: 0 }], ["a"]), 10);
  cars.apply(batch([{ slot: 0, x: 5000, y: 0 }]), 11);
  expect(cars.view(0, 11)?.x).toBe(5000);
});

test("a car turns the short way", () => {
  const cars = new Cars();
  cars.apply(batch([{ slot: 0, x: 0, y: 0, heading: 350 }], ["a"]), 10);
  cars.apply(batch([{ slot: 0, x: 10, y: 0, heading: 10 }]), 11);
  const before = cars.view(0, 11)?.heading ?? 0;
  const after = cars.view(0, 20)?.heading ?? 0;
  expect(after - before).toBeCloseTo((20 * Math.PI) / 180);
  expect(shortTurn(Math.PI * 1.5)).toBeCloseTo(-Math.PI / 2);
});

test("a car that left is neither found nor counted, and its slot is reused", () => {
  const cars = new Cars();
  cars.apply(batch([{ slot: 0, x: 0, y: 0, state: 4 }], ["a"]), 10);
  cars.apply(batch([], [], [0]), 11);
  expect(cars.size).toBe(0);
  expect(cars.nearest(0, 0, 100, 11)).toBeUndefined();
  expect(cars.countByState()[4]).toBe(0);
  cars.apply(batch([{ slot: 0, x: 7, y: 7, state: 3 }], ["b"]), 12);
  expect(cars.view(0, 12)).toMatchObject({ driverId: "b", x: 7, y: 7, state: 3 });
});

test("ten thousand cars fit, and the nearest is found", () => {
  const cars = new Cars();
  const reports = Array.from({ length: 10_000 }, (_, slot) => ({ slot, x: slot * 10, y: 0 }));
  cars.apply(
    batch(
      reports,
      reports.map((report) => `d-${report.slot}`),
    ),
    1,
  );
  expect(cars.size).toBe(10_000);
  expect(cars.nearest(55_551, 0, 20, 1)?.driverId).toBe("d-5555");
  expect(cars.nearest(55_555, 300, 20, 1)).toBeUndefined();
});
