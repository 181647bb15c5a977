import { execFile, spawn, type ChildProcess } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

export const kRoot = fileURLToPath(new URL("../../../..", import.meta.url));
const kBinaries = process.env.RIDESTREAM_BIN ?? join(kRoot, "build/dev/bin");
/** Number of lines kept of a process's output, for error messages. */
const kKeptLines = 40;
/** Interval at which a starting service's address file is read. */
const kPollMs = 10;

/**
 * What a service announces: its address, and for the gateway also the address
 * of the page, which signs a browser in.
 */
export interface Announced {
  readonly address: string;
  readonly page: string;
}

/** Waits until a service has written its address file; rejects when `failed` is aborted. */
async function announced(file: string, failed: AbortSignal): Promise<Announced> {
  for (;;) {
    const text = await readFile(file, "utf8").catch(() => "");
    const value = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(text)?.[1] ?? "";
    if (value("address")) return { address: value("address"), page: value("page") };
    await sleep(kPollMs, undefined, { signal: failed });
  }
}

/** Makes a throwaway authority in `folder`, by default for all services. */
export async function makeAuthority(folder: string, services?: readonly string[]): Promise<void> {
  const flags = [`--folder=${folder}`];
  if (services) flags.push(`--services=${services.join(",")}`);
  await promisify(execFile)(join(kBinaries, "authority"), ["create", ...flags]);
}

/** The hash of a certificate's public key, by which Chromium can be told to trust that key alone
 * (--ignore-certificate-errors-spki-list). */
export function publicKeyHash(certificatePem: Buffer): string {
  const { publicKey } = new X509Certificate(certificatePem);
  const bytes = publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(bytes).digest("base64");
}

/** The flags that make a service use that authority. */
export function securityFlags(authority: string, name: string): string[] {
  return [
    `--tls_certificate=${join(authority, `${name}.pem`)}`,
    `--tls_key=${join(authority, `${name}.key`)}`,
    `--tls_authorities=${join(authority, "authority.pem")}`,
    `--token_keys=${join(authority, "jwks.json")}`,
    "--token_issuer=ridestream-development",
    "--token_audience=ridestream",
  ];
}

/** A binary of the project as a child process. */
export class Service {
  private readonly lines: string[] = [];

  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
  ) {}

  static start(name: string, flags: readonly string[]): Service {
    const child = spawn(join(kBinaries, name), flags, {
      stdio: ["ignore", "ignore", "pipe"],
      env: {
        ...process.env,
        RIDESTREAM_METRICS_LISTEN: "127.0.0.1:0",
      },
    });
    const service = new Service(name, child);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      service.lines.push(...text.split("\n").filter(Boolean));
      service.lines.splice(0, service.lines.length - kKeptLines);
    });
    return service;
  }

  /** Starts a server and waits until it announces its address. */
  static async serve(name: string, flags: readonly string[]): Promise<[Service, Announced]> {
    const folder = await mkdtemp(join(tmpdir(), "ridestream-address-"));
    const file = join(folder, name);
    const failed = new AbortController();
    const service = Service.start(name, [`--address_file=${file}`, ...flags]);
    service.child.on("error", () => failed.abort());
    service.child.on("exit", () => failed.abort());
    try {
      return [service, await announced(file, failed.signal)];
    } catch (error) {
      const text = `${name} ended before it served:\n${service.output}`;
      throw failed.signal.aborted ? new Error(text) : error;
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  get output(): string {
    return this.lines.join("\n");
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, "exit");
    this.child.kill(signal);
    await exit;
  }
}
