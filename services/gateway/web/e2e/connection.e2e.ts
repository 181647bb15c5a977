import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kHasChromium, launchBrowser, openPage, screenshot } from "./browser.js";
import { City } from "./city.js";

/** Grows with each position report. */
function reportsSeen(page: Page): Promise<number> {
  return page.evaluate(() => window.ridestream?.city.cars.version ?? 0);
}

describe.skipIf(!kHasChromium)("the connection to the gateway", () => {
  let city: City;
  let browser: Browser;

  beforeAll(async () => {
    city = await City.start({ drivers: 40, clockRate: 10 });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await city?.stop();
  });

  test("is reported when it breaks, and recovers when the gateway is back", async () => {
    const page = await openPage(browser, city);
    await page.waitForFunction(() => (window.ridestream?.city.cars.size ?? 0) >= 40);
    const sequence = await page.evaluate(() => String(window.ridestream?.city.trips.lastSequence));
    await city.stopGateway();
    await page.getByText("Connection lost.").waitFor();
    await screenshot(page, "connection-lost");
    const before = await reportsSeen(page);
    await city.startGateway();
    await page.getByText("Connection lost.").waitFor({ state: "detached" });
    await page.waitForFunction(
      (seen) => (window.ridestream?.city.cars.version ?? 0) > seen,
      before,
    );
    // The log continues after the last event.
    await page.waitForFunction(
      (last) => (window.ridestream?.city.trips.lastSequence ?? 0n) > BigInt(last),
      sequence,
    );
    await page.waitForFunction(() => window.ridestream?.city.cars.size === 40);
    await page.context().close();
  });

  test("needs the announced address, which signs in one browser", async () => {
    await city.stopGateway();
    await city.startGateway(); // Announces a new address.
    const stranger = await browser.newPage();
    await stranger.goto(city.url);
    await stranger.getByText("not signed in").waitFor();
    const page = await openPage(browser, { url: city.page, cookies: [] });
    expect(new URL(page.url()).href).toBe(city.url);
    const late = await stranger.goto(city.page);
    expect(late?.status()).toBe(403);
    await Promise.all([page.context().close(), stranger.close()]);
  });
});
