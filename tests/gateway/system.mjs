// Starts Ridestream's processes and the gateway for a test: on free ports, secured by a throwaway authority,
// and stopped when the test ends.

import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const bin = process.env.RIDESTREAM_BIN ?? new URL("../../build/dev/bin", import.meta.url).pathname;

/** Interval at which a starting service's address file is read. */
const pollMs = 10;

/** Makes a throwaway authority in `folder`. */
function makeAuthority(folder) {
  execFileSync(join(bin, "authority"), ["create", `--folder=${folder}`]);
}

/** The flags that make a service use that authority. */
function securityFlags(folder, name) {
  return [
    `--tls_certificate=${join(folder, `${name}.pem`)}`,
    `--tls_key=${join(folder, `${name}.key`)}`,
    `--tls_authorities=${join(folder, "authority.pem")}`,
    `--token_keys=${join(folder, "jwks.json")}`,
    "--token_issuer=ridestream-development",
    "--token_audience=ridestream",
  ];
}

/** Starts a service and waits until it announces its address in `folder`. */
async function start(name, folder, flags) {
  const file = join(folder, `${name}.address`);
  const log = [];
  const child = spawn(join(bin, name), [...flags, `--address_file=${file}`], {
    stdio: ["ignore", "ignore", "pipe"],
    env: {
      ...process.env,
      no_grpc_proxy: "127.0.0.1",
      RIDESTREAM_METRICS_LISTEN: "127.0.0.1:0",
    },
  });
  child.stderr.setEncoding("utf8").on("data", (text) => log.push(text));
  let failure;
  child.once("error", (error) => (failure = error));
  const exited = new Promise((resolve) => child.once("exit", resolve));
  exited.then(() => (failure ??= new Error(`${name} ended before it served:\n${log.join("")}`)));
  const announced = {};
  while (!announced.address) {
    if (failure) throw failure;
    await sleep(pollMs);
    const text = await readFile(file, "utf8").catch(() => "");
    for (const [, key, value] of text.matchAll(/^(\w+)=(.*)$/gm)) announced[key] = value;
  }
  return {
    ...announced,
    async stop() {
      child.kill("SIGTERM");
      return exited;
    },
  };
}

/** The whole system; `gateway` are further flags of the gateway's. */
export async function startSystem({ gateway = [] } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "ridestream-"));
  const authority = join(folder, "authority");
  makeAuthority(authority);
  const processes = [];
  const run = async (name, ...flags) => {
    const security = securityFlags(authority, name);
    const child = await start(name, folder, ["--listen=127.0.0.1:0", ...security, ...flags]);
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
    /** Metadata that proves a caller such as "rider/r-1". */
    proofOf(caller) {
      const flags = ["token", `--folder=${authority}`, caller];
      const token = execFileSync(join(bin, "authority"), flags, { encoding: "utf8" }).trim();
      return { authorization: `Bearer ${token}` };
    },
    async stop() {
      for (const child of processes) await child.stop();
      await rm(folder, { recursive: true });
    },
  };
}
