// A rider who goes home: go_home.js LAT LNG LAT LNG, from where they are to where they live.
import { readFileSync } from "node:fs";
import { place, Rider } from "@ridestream/client";
import { TripState } from "@ridestream/client/trip";

const { RIDESTREAM_ADDRESS, RIDESTREAM_ROOTS, RIDESTREAM_TOKEN_FILE } = process.env as Record<
  string,
  string
>;
const rider = new Rider({
  address: RIDESTREAM_ADDRESS!,
  token: () => readFileSync(RIDESTREAM_TOKEN_FILE!, "utf8").trim(),
  rootCertificates: readFileSync(RIDESTREAM_ROOTS!),
});

const [lat, lng, homeLat, homeLng] = process.argv.slice(2).map(Number) as [
  number,
  number,
  number,
  number,
];
const quote = await rider.quote("city", place(lat, lng), place(homeLat, homeLng));
const total = quote.fare?.total;
console.log((Number(total?.amountMinor) / 100).toFixed(2), total?.currencyCode);
const trip = await rider.request(quote.quoteId, { name: "Ada", note: "blue coat" });
for await (const update of rider.watch(trip.tripId)) {
  console.log(TripState[update.trip!.state], update.trip?.driver?.name ?? "");
}
rider.close();
