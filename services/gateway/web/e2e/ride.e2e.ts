import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  chooseRide,
  clickPlace,
  kDropoff,
  kHasChromium,
  launchBrowser,
  openPage,
  screenshot,
} from "./browser.js";
import { City, kQuietCity } from "./city.js";

const kElsewhere = [-30.02, 45.012] as const;
/** A place from which a car takes about five minutes. */
const kFarOff = [-29.985, 44.995] as const;

describe.skipIf(!kHasChromium)("a rider in the browser", () => {
  let city: City;
  let browser: Browser;

  beforeAll(async () => {
    city = await City.start({ drivers: 60, clockRate: 20 });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await city?.stop();
  });

  test("rides from the request to the receipt by clicks", async () => {
    const page = await openPage(browser, city);
    await chooseRide(page);
    const price = await page.locator(".quote strong").textContent();
    expect(price).toMatch(/^\$\d+\.\d\d$/);
    await page.getByRole("button", { name: "Request" }).click();
    const state = page.getByTestId("ride-state");
    await state.waitFor();
    await screenshot(page, "ride-requested");
    await page.locator(".riding .plate").waitFor();
    await screenshot(page, "ride-assigned");
    const total = page.getByTestId("receipt-total");
    await total.waitFor();
    expect(await total.textContent()).toBe(price);
    await screenshot(page, "ride-receipt");
    await page.context().close();
  });

  test("finds an open ride again after a reload", async () => {
    const page = await openPage(browser, city);
    await chooseRide(page);
    await page.getByRole("button", { name: "Request" }).click();
    await page.getByTestId("ride-state").waitFor();
    await page.reload();
    await page.getByRole("tab", { name: "Ride" }).click();
    await page.getByTestId("ride-state").waitFor();
    await page.context().close();
  });

  test("sees an error when a place is off the streets", async () => {
    const page = await openPage(browser, city);
    await page.getByRole("tab", { name: "Ride" }).click();
    await page.getByText("Click the map: pick-up").waitFor();
    await page.evaluate(() =>
      window.ridestream?.map?.map.jumpTo({ center: [-30.2, 45], zoom: 10 }),
    );
    await clickPlace(page, [-30.2, 45]); // The sea.
    await page.getByText("Click the map: destination").waitFor();
    await clickPlace(page, kDropoff);
    await page.getByRole("alert").getByText("pickup").waitFor();
    await page.context().close();
  });

  test("reads the timeline of a trip by keyboard alone, and returns", async () => {
    const page = await openPage(browser, city);
    const focusIsInThePanel = () =>
      page.waitForFunction(() => document.activeElement?.id === "panel-content");
    await page.locator("section[aria-labelledby=ended-title] .row").first().press("Enter");
    await page.locator("#trip-title").waitFor();
    await focusIsInThePanel();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.locator("#ended-title").waitFor();
    await focusIsInThePanel();
    await page.context().close();
  });
});

describe.skipIf(!kHasChromium)("a rider whose car has a long way to go", () => {
  let city: City;
  let browser: Browser;

  beforeAll(async () => {
    city = await City.start({ drivers: 1, clockRate: 1, flags: kQuietCity, fleet: [kFarOff] });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await city?.stop();
  });

  test("changes the destination, which changes the fare, and cancels", async () => {
    const page = await openPage(browser, city);
    await page.waitForFunction(() => window.ridestream?.city.cars.size === 1);
    await chooseRide(page);
    const price = await page.locator(".quote strong").textContent();
    await page.getByRole("button", { name: "Request" }).click();
    await page.getByTestId("ride-state").getByText("driver on the way").waitFor();
    await page.getByRole("button", { name: "Change" }).click();
    await clickPlace(page, kElsewhere);
    const fare = page.getByTestId("fare");
    await fare.filter({ hasNotText: price ?? "" }).waitFor();
    expect(await fare.textContent()).toMatch(/^\$\d+\.\d\d$/);
    await page.getByRole("button", { name: "Cancel the ride" }).click();
    await page.getByTestId("ride-state").getByText("cancelled").waitFor();
    await page.context().close();
  });
});
