import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clickPlace, kHasChromium, launchBrowser, openPage, screenshot } from "./browser.js";
import { City, kQuietCity } from "./city.js";

const kCorner = [-30.012, 45.004] as const;
const kDropoff = [-30.004, 45.006] as const;

/** Requests a ride at the driver's corner, so that the driver is the nearest one. */
async function requestRide(page: Page): Promise<void> {
  await page.getByRole("tab", { name: "Ride" }).click();
  await page.getByText("Click the map: pick-up").waitFor();
  await clickPlace(page, kCorner);
  await page.getByText("Click the map: destination").waitFor();
  await clickPlace(page, kDropoff);
  await page.getByRole("button", { name: "Request" }).click();
  await page.getByTestId("ride-state").waitFor();
}

async function startDriving(page: Page): Promise<void> {
  await page.getByRole("tab", { name: "Drive" }).click();
  await page.getByText("Click the map: your car").waitFor();
  await clickPlace(page, kCorner);
  await page.getByRole("button", { name: "Start driving" }).click();
  await page.getByText("Waiting for an offer").waitFor();
}

/** Moves the map to a car, and returns its place. */
async function findCar(page: Page): Promise<[number, number]> {
  return page.evaluate(() => {
    const city = window.ridestream?.city;
    const view = city?.cars.view(0, performance.now() / 1000);
    if (!city || !view) throw new Error("there is no car");
    const place = city.plane.lngLat(view.x, view.y);
    window.ridestream?.map?.map.jumpTo({ center: place, zoom: 14 });
    return place;
  });
}

describe.skipIf(!kHasChromium)("a driver in the browser", () => {
  let city: City;
  let browser: Browser;

  beforeAll(async () => {
    city = await City.start({
      drivers: 3,
      clockRate: 4,
      flags: kQuietCity,
      // Clicks may be slow.
      dispatchFlags: ["--offer_lease=20m"],
    });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await city?.stop();
  });

  test("takes an offer, and a rider to their receipt", async () => {
    const driver = await openPage(browser, city);
    await startDriving(driver);
    const rider = await openPage(browser, city);
    await requestRide(rider);
    await driver.getByRole("timer").waitFor();
    await screenshot(driver, "drive-offer");
    await driver.getByRole("button", { name: "Accept" }).click();
    await driver.getByRole("button", { name: "I have arrived for" }).click();
    await rider.getByTestId("ride-state").getByText("driver at the pick-up").waitFor();
    await driver.getByRole("button", { name: "is aboard" }).click();
    await rider.getByTestId("ride-state").getByText("aboard").waitFor();
    await screenshot(driver, "drive-aboard");
    await driver.getByRole("button", { name: "I have dropped off" }).click();
    await rider.getByTestId("receipt-total").waitFor();
    await driver.getByText("Waiting for an offer").waitFor();
    await Promise.all([driver.context().close(), rider.context().close()]);
  });

  test("takes over a simulated car, and keeps it", async () => {
    const page = await openPage(browser, city);
    await page.waitForFunction(() => (window.ridestream?.city.cars.size ?? 0) >= 3);
    const takeOver = page.getByRole("button", { name: "Take over this car" });
    // The car moves meanwhile, so a click can miss it.
    while (!(await takeOver.isVisible())) await clickPlace(page, await findCar(page));
    await takeOver.click();
    await page.getByText("Waiting for an offer").waitFor();
    // The simulated driver would reconnect within its longest pause, and end this session.
    const reports = () => page.evaluate(() => window.ridestream?.city.cars.version ?? 0);
    await expect.poll(reports, { timeout: 180_000 }).toBeGreaterThan((await reports()) + 10);
    expect(await page.getByTestId("drive-notice").textContent()).toBe("");
    await page.context().close();
  });
});
