import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chooseRide, kHasChromium, launchBrowser, newPage, screenshot } from "./browser.js";
import { City, kQuietCity } from "./city.js";
import { OidcProvider } from "./oidc_provider.js";

describe.skipIf(!kHasChromium)("a person who signs in at an OIDC provider", () => {
  let folder: string;
  let provider: OidcProvider;
  let city: City;
  let browser: Browser;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ridestream-oidc-"));
    provider = await OidcProvider.listen(folder);
    city = await City.start({ drivers: 10, clockRate: 1, flags: kQuietCity, oidc: provider });
    provider.serve(new URL(city.url).origin);
    browser = await launchBrowser([
      `--ignore-certificate-errors-spki-list=${provider.keyHash},${await city.keyHash()}`,
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await city?.stop();
    await provider?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** The map's page, not signed in. */
  async function openAsStranger(): Promise<Page> {
    // Small, because software draws the map.
    const page = await newPage(browser, { viewport: { width: 800, height: 600 } });
    // The provider's page asks for a font elsewhere.
    await page.context().route(
      (url) => !["localhost", "127.0.0.1"].includes(url.hostname),
      (route) => route.abort(),
    );
    await page.goto(city.url);
    await page.getByRole("link", { name: "Sign in" }).waitFor();
    return page;
  }
  /** From the provider's page to the map. */
  async function signInAs(page: Page, name: string): Promise<void> {
    await page.waitForURL(`${provider.issuer}/**`);
    await page.getByPlaceholder("Enter any login").fill(name);
    await page.getByPlaceholder("and password").fill("any");
    await page.getByRole("button", { name: "Sign-in" }).click();
    await page.getByRole("button", { name: "Continue" }).click(); // Consents.
    await page.waitForURL(city.url);
    await page.waitForSelector(".pulse.live");
  }
  /** The status with which the gateway answers a call of the page as `caller`. */
  function statusAs(page: Page, caller: string): Promise<number> {
    return page.evaluate(async (name) => {
      const headers = { "ridestream-caller": name };
      const answer = await fetch(`/v1/trips?riderId=${name.split("/")[1]}`, { headers });
      return answer.status;
    }, caller);
  }

  test("has a rider's rights until they sign out, also after a reload", async () => {
    const page = await openAsStranger();
    expect(await statusAs(page, "rider/ada")).toBe(401);
    await page.getByRole("link", { name: "Sign in" }).click();
    await signInAs(page, "ada");
    await page.getByText("Signed in as rider/ada").waitFor();
    expect(await page.getByRole("tab").allTextContents()).toEqual(["City", "Ride"]);
    await chooseRide(page);
    expect(await page.locator(".quote strong").textContent()).toMatch(/^\$\d+\.\d\d$/);
    expect(await statusAs(page, "rider/ada")).toBe(200);
    for (const other of ["rider/eve", "driver/ada", "operator/ada"]) {
      expect(await statusAs(page, other), other).toBe(403);
    }
    const cookies = await page.context().cookies(city.url);
    expect(cookies).toMatchObject([
      { name: "__Host-ridestream-session", secure: true, httpOnly: true, sameSite: "Strict" },
    ]);
    await screenshot(page, "signed-in");

    await page.reload();
    await page.getByText("Signed in as rider/ada").waitFor();
    await page.waitForSelector(".pulse.live");

    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("link", { name: "Sign in" }).waitFor();
    expect(await page.context().cookies(city.url)).toEqual([]);
    expect(await statusAs(page, "rider/ada")).toBe(401);
    await page.context().close();
  });

  test("learns what to do when the sign-in fails, and can repeat it", async () => {
    const page = await openAsStranger();
    await page.getByRole("link", { name: "Sign in" }).click();
    await page.getByRole("link", { name: "Cancel" }).click();
    await page.getByRole("heading", { name: "You are not signed in" }).waitFor();
    await page.getByText("cancelled or refused at the identity provider").waitFor();
    await screenshot(page, "sign-in-cancelled");

    await page.getByRole("link", { name: "Sign in again" }).click();
    await page.waitForURL(`${provider.issuer}/**`);
    const atProvider = page.url();
    await page.goto(`${city.url}sign-in/callback?code=x&state=forged`);
    await page.getByText("was not begun in this browser").waitFor();
    await page.getByRole("link", { name: "go to the map" }).waitFor();
    expect((await page.context().cookies(city.url)).map((each) => each.name)).toEqual([
      "__Host-ridestream-sign-in",
    ]);

    await page.goto(atProvider); // The forged callback didn't end the sign-in.
    await signInAs(page, "grace");
    await page.getByText("Signed in as viewer/grace").waitFor();
    expect(await page.getByRole("tab").allTextContents()).toEqual(["City"]);
    await page.context().close();
  });
});
