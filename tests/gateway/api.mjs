// Describes the services to the clients by the descriptors that the build writes, without generated code.

import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

const path =
  process.env.RIDESTREAM_API ??
  new URL("../../build/dev/services/gateway/api.binpb", import.meta.url).pathname;
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(path)));

export const TripService = registry.getService("ridestream.trip.v1.TripService");
export const LocationService = registry.getService("ridestream.location.v1.LocationService");
export const DispatchService = registry.getService("ridestream.dispatch.v1.DispatchService");

// Places in city:1, the built-in city.
export const pickup = { latE7: 450100000, lngE7: -300300000 };
export const dropoff = { latE7: 450050000, lngE7: -300200000 };
export const around = {
  market: "city",
  southWest: { latE7: 440000000, lngE7: -310000000 },
  northEast: { latE7: 460000000, lngE7: -290000000 },
  intervalMs: 100,
};
