import { mkdirSync, existsSync } from "node:fs";
import { join } from "node:path";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import type { Cookie } from "./city.js";
import { kRoot } from "./processes.js";

/** Debian's browser; nothing is downloaded. */
const kChromium = process.env.CHROMIUM ?? "/usr/bin/chromium";
export const kHasChromium = existsSync(kChromium);

/** Folder of the screenshots and figures of a run. */
export const kArtefacts = join(kRoot, "build/web-e2e");
mkdirSync(kArtefacts, { recursive: true });

if (!kHasChromium) console.warn(`SKIPPED: there is no browser at ${kChromium}`);

/** Bound of each wait. On a busy machine, software drawing takes a second per frame, and a click
 * takes several frames. */
const kPatienceMs = 180_000;

export function launchBrowser(args: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: kChromium,
    // WebGL by software, because test machines have no GPU.
    args: ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox", ...args],
  });
}

/** A page that fails the test by an uncaught error of its own, or by a violation of a
 * Content-Security-Policy. */
export async function newPage(
  browser: Browser,
  options: BrowserContextOptions = {},
  cookies: readonly Cookie[] = [],
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(kPatienceMs);
  await context.addCookies([...cookies]);
  const page = await context.newPage();
  page.on("pageerror", (error) => {
    throw error;
  });
  page.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) throw new Error(message.text());
  });
  return page;
}

/** Opens the page, signed in by the city's cookies, and waits until it follows the city. */
export async function openPage(
  browser: Browser,
  city: Readonly<{ url: string; cookies: readonly Cookie[] }>,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const page = await newPage(browser, options, city.cookies);
  const policy = (await page.goto(city.url))?.headers()["content-security-policy"] ?? "";
  if (!policy.startsWith("default-src 'none'") || /blob:|unsafe/.test(policy)) {
    throw new Error(`the page's Content-Security-Policy is too wide: ${policy}`);
  }
  await page.waitForSelector(".pulse.live");
  return page;
}

export function screenshot(page: Page, name: string): Promise<Buffer> {
  return page.screenshot({ path: join(kArtefacts, `${name}.png`) });
}

/** Moves a place to the middle of the map, where nothing covers it, and clicks it. */
export async function clickPlace(page: Page, place: readonly [number, number]): Promise<void> {
  const at = await page.evaluate((lngLat) => {
    const map = window.ridestream?.map?.map;
    if (!map) throw new Error("there is no map yet");
    map.jumpTo({ center: lngLat as [number, number] });
    const box = map.getCanvas().getBoundingClientRect();
    const { x, y } = map.project(lngLat as [number, number]);
    return { x: box.x + x, y: box.y + y };
  }, place);
  await page.mouse.click(at.x, at.y);
}

/** Two places in the built-in city, about 2 km apart. */
export const kPickup = [-30.012, 45.004] as const;
export const kDropoff = [-29.99, 45.01] as const;

/** Chooses the places of a ride, by which the page shows its price. */
export async function chooseRide(page: Page): Promise<void> {
  await page.getByRole("tab", { name: "Ride" }).click();
  await page.getByText("Click the map: pick-up").waitFor();
  await clickPlace(page, kPickup);
  await page.getByText("Click the map: destination").waitFor();
  await clickPlace(page, kDropoff);
}
