import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Drive } from "../driver/drive.js";
import { MarketSchema } from "../gen/ridestream/market/v1/market_pb.js";
import { Ride } from "../rider/ride.js";
import { kNoSession } from "../api/session.js";
import { setLink } from "../state/connection.js";
import { selection, tab } from "../state/page.js";
import { session } from "../state/session.js";
import { makeFakeCity } from "../testing/fake_city.js";
import { after, click, close, show } from "../testing/render.js";
import { App, SignIn, Starting } from "./app.js";

beforeEach(() => {
  tab.value = "city";
  selection.value = null;
  session.value = kNoSession;
  for (const name of ["market", "cars", "trips"] as const) setLink(name, { kind: "live" });
});
afterEach(close);

const kLost = { kind: "lost", error: "cut", retryAtMs: 0 } as const;

async function showApp(onMapReady = vi.fn()) {
  const { city, clients, clock } = makeFakeCity();
  const ride = new Ride({ clients, market: "city", newId: () => "id" });
  const open = () => ({ send: () => undefined, cancel: () => undefined });
  const drive = new Drive({ market: "city", open, rate: () => 1 });
  const market = create(MarketSchema, { market: "city" });
  const shared = { city, clock, market, ride, drive, onMapReady };
  return show(<App {...shared} markets={["city"]} />);
}

test("without WebGL, the page gives the reason and its panels work", async () => {
  const onMapReady = vi.fn();
  const root = await showApp(onMapReady);
  expect(root.querySelector(".map-failure")?.textContent).toContain("WebGL 2 is not available");
  expect(onMapReady).not.toHaveBeenCalled();
  await click("Ride");
  expect(root.querySelector("h2")?.textContent).toBe("Where to?");
  await click("Drive");
  expect(root.querySelector("h2")?.textContent).toBe("Drive a car");
  await click("City");
  expect(root.textContent).toContain("Nobody is waiting.");
});

test("a person who signed in has the tabs of their role", async () => {
  const tabs = (root: HTMLElement) =>
    [...root.querySelectorAll("[role=tab]")].map((each) => each.textContent);
  const signedIn = { ...kNoSession, signIn: "/sign-in/start", isOpen: true } as const;
  for (const [person, expected] of [
    [null, ["City", "Ride", "Drive"]],
    ["viewer/ada", ["City"]],
    ["rider/ada", ["City", "Ride"]],
    ["driver/ada", ["City", "Drive"]],
  ] as const) {
    session.value = { ...signedIn, person };
    const root = await showApp();
    expect(tabs(root)).toEqual(expected);
    expect(root.querySelector(".signed-in")?.textContent ?? null).toBe(
      person && `Signed in as ${person}Sign out`,
    );
    await close();
  }
});

test("without a session, the page leads to the sign-in", async () => {
  session.value = { ...kNoSession, signIn: "/sign-in/start" };
  const root = await show(<SignIn />);
  const link = root.querySelector("a");
  expect([link?.textContent, link?.getAttribute("href")]).toEqual(["Sign in", "/sign-in/start"]);
});

test("a lost connection is reported, with the last known state below", async () => {
  const root = await showApp();
  expect(root.querySelector(".banner")).toBeNull();
  await after(() => setLink("trips", kLost));
  expect(root.querySelector(".banner")?.textContent).toBe(
    "Connection lost. The page shows the last known state. Retrying now.",
  );
  await after(() => setLink("trips", { kind: "live" }));
  expect(root.querySelector(".banner")).toBeNull();
});

test("at the start there is no last known state to speak of", async () => {
  setLink("market", kLost);
  const root = await show(<Starting message="Connecting to the gateway …" />);
  expect(root.querySelector(".banner")?.textContent).toBe(
    "The gateway can't be reached. Retrying now.",
  );
  await after(() => setLink("market", { kind: "connecting" }));
  expect(root.querySelector(".banner")).toBeNull();
});
