import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kArtefacts, kHasChromium, launchBrowser, openPage, screenshot } from "./browser.js";
import { browserMemoryMb, PageWorkMeter, sum } from "./browser_cost.js";
import { City } from "./city.js";

const kCars = Number(process.env.RIDESTREAM_E2E_CARS ?? 5_000);
const kFrames = 120;
const kMaxMemoryMb = 500;

describe.skipIf(!kHasChromium)(`${kCars} cars`, () => {
  let city: City;
  let browser: Browser;

  beforeAll(async () => {
    city = await City.start({ drivers: kCars, clockRate: 1 });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await city?.stop();
  });

  // Frame times are recorded but not limited, because without a GPU and beside other work they say
  // little about a laptop. A small window has few pixels, so that software draws frames often enough
  // to show the cost of the page itself.
  test("are drawn, and the browser stays small", async () => {
    const emptyMb = sum(await browserMemoryMb(browser));
    const page = await openPage(browser, city);
    await page.waitForFunction((cars) => window.ridestream?.city.cars.size === cars, kCars);
    const atFullSize = await drawFrames(page);
    const memory = await browserMemoryMb(browser);
    await screenshot(page, `cars-${kCars}`);
    await page.setViewportSize({ width: 480, height: 320 });
    const inASmallWindow = await drawFrames(page);
    const memoryMb = { ofAnEmptyBrowser: emptyMb, all: sum(memory), ...memory };
    const report = { cars: kCars, atFullSize, inASmallWindow, memoryMb };
    const text = JSON.stringify(report, (_, value) => rounded(value), 2);
    writeFileSync(join(kArtefacts, `frames-${kCars}.json`), text);
    console.log(text);
    expect(sum(memory)).toBeLessThan(kMaxMemoryMb);
    await page.context().close();
  });
});

/** Measures the cost and the rate of the next frames. */
async function drawFrames(page: Page) {
  const meter = await PageWorkMeter.on(page);
  const before = await meter.read();
  const drawn = await page.evaluate(async (frames) => {
    const meter = window.ridestream?.canvas?.meter;
    if (!meter) throw new Error("nothing is drawn");
    meter.reset();
    await new Promise<void>((resolve) => {
      const look = () =>
        meter.report().frames >= frames ? resolve() : requestAnimationFrame(look);
      look();
    });
    return meter.report();
  }, kFrames);
  const after = await meter.read();
  return {
    cpuPerFrameMs: {
      scripts: (after.scriptMs - before.scriptMs) / drawn.frames,
      allOfThePage: (after.taskMs - before.taskMs) / drawn.frames,
    },
    byTheWall: drawn,
  };
}

function rounded(value: unknown): unknown {
  return typeof value === "number" ? Math.round(100 * value) / 100 : value;
}
