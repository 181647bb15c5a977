// Ridestream's processes with the gateway before them, for a test: on free ports, gone with it.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const bin = process.env.RIDESTREAM_BIN ?? new URL("../../build/dev/bin", import.meta.url).pathname;

/** Starts a binary, and resolves when it says where it serves. */
async function start(name, flags) {
  const child = spawn(join(bin, name), [...flags, "--log_format=json"], {
    stdio: ["ignore", "ignore", "pipe"],
    env: {
      ...process.env,
      no_grpc_proxy: "127.0.0.1",
      RIDESTREAM_METRICS_LISTEN: "127.0.0.1:0",
    },
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const log = [];
  const { address, metrics } = await new Promise((resolve, reject) => {
    child.once("error", reject);
    exited.then(() => reject(new Error(`${name} ended before it served:\n${log.join("\n")}`)));
    createInterface({ input: child.stderr }).on("line", (line) => {
      log.push(line);
      const event = JSON.parse(line);
      if (event.event === "serving") resolve(event);
    });
  });
  return {
    address,
    metrics,
    async stop() {
      child.kill("SIGTERM");
      return exited;
    },
  };
}

/** The whole system; `gateway` are further flags of the gateway's. */
export async function startSystem({ gateway = [] } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "ridestream-"));
  const processes = [];
  const run = async (name, ...flags) => {
    const child = await start(name, ["--listen=127.0.0.1:0", ...flags]);
    processes.unshift(child);
    return child;
  };
  const trip = await run("trip", `--data=${folder}`);
  const location = await run("location");
  const dispatch = await run(
    "dispatch",
    `--trip=${trip.address}`,
    `--location=${location.address}`,
    "--match_every=200ms",
  );
  const door = await run(
    "gateway",
    `--trip=${trip.address}`,
    `--location=${location.address}`,
    `--dispatch=${dispatch.address}`,
    ...gateway,
  );
  return {
    url: `http://${door.address}`,
    gateway: door,
    async stop() {
      for (const child of processes) await child.stop();
      await rm(folder, { recursive: true });
    },
  };
}
