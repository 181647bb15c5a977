// A driver who accepts everything, and is at each stop at once: accept_everything.js LAT LNG.
import { readFileSync } from "node:fs";
import { CommandRejected, Driver } from "@ridestream/client";
import { type Stop, StopKind } from "@ridestream/client/dispatch";

const { RIDESTREAM_ADDRESS, RIDESTREAM_ROOTS, RIDESTREAM_TOKEN_FILE } = process.env as Record<
  string,
  string
>;
const connection = {
  address: RIDESTREAM_ADDRESS!,
  token: () => readFileSync(RIDESTREAM_TOKEN_FILE!, "utf8").trim(),
  rootCertificates: readFileSync(RIDESTREAM_ROOTS!),
};

async function serve({ kind, place, tripId }: Stop): Promise<void> {
  driver.moveTo(place!.latE7 / 1e7, place!.lngE7 / 1e7);
  if (kind === StopKind.DROP_OFF) return void (await driver.droppedOff(tripId));
  await driver.arrived(tripId);
  await driver.pickedUp(tripId);
}

const driver = new Driver(connection, { market: "city", seats: 4, name: "Grace" });
driver.moveTo(Number(process.argv[2]), Number(process.argv[3]));
for await (const event of driver) {
  try {
    if (event.case === "offer") await driver.accept(event.value);
    else if (event.case === "plan" && event.value.stops[0]) await serve(event.value.stops[0]);
  } catch (error) {
    if (!(error instanceof CommandRejected)) throw error; // The rider may have cancelled.
  }
}
