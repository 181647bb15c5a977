import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kHasChromium, launchBrowser, openPage } from "./browser.js";
import { City } from "./city.js";

const kAxe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/**
 * axe's findings about the current page: contrast, names, roles, keyboard
 * access.
 */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(kAxe);
  return page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
    return violations.flatMap(({ help, nodes }) => nodes.map(({ html }) => `${help}: ${html}`));
  });
}

describe.skipIf(!kHasChromium)("axe", () => {
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

  test.each([
    { colorScheme: "dark", width: 1280, height: 800 },
    { colorScheme: "light", width: 1280, height: 800 },
    { colorScheme: "light", width: 390, height: 844 },
  ] as const)(
    "finds nothing wrong: $colorScheme, $width wide",
    async ({ colorScheme, ...viewport }) => {
      const page = await openPage(browser, city, { colorScheme, viewport });
      const ended = page.locator("section[aria-labelledby=ended-title] .row").first();
      await ended.waitFor();
      expect(await violations(page)).toEqual([]);
      await ended.click();
      await page.locator("#trip-title").waitFor();
      expect(await violations(page)).toEqual([]);
      for (const [tab, prompt] of [
        ["Ride", "Click the map: pick-up"],
        ["Drive", "Click the map: your car"],
      ] as const) {
        await page.getByRole("tab", { name: tab }).click();
        await page.getByText(prompt).waitFor();
        expect(await violations(page)).toEqual([]);
      }
      await page.context().close();
    },
  );
});
