import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { join } from "node:path";

export const kRoot = fileURLToPath(new URL("../../../..", import.meta.url));
const kBinaries = process.env.RIDESTREAM_BIN ?? join(kRoot, "build/dev/bin");
/** What is kept of a process's output, for when something goes wrong. */
const kKeptLines = 40;

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
      env: { ...process.env, RIDESTREAM_METRICS_LISTEN: "127.0.0.1:0" },
    });
    const service = new Service(name, child);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      service.lines.push(...text.split("\n").filter(Boolean));
      service.lines.splice(0, service.lines.length - kKeptLines);
    });
    return service;
  }

  /** Starts a server and waits until it says where it serves. */
  static async serve(name: string, flags: readonly string[]): Promise<[Service, string]> {
    const service = Service.start(name, ["--log_format=text", ...flags]);
    const address = await new Promise<string>((resolve, reject) => {
      service.child.stderr?.on("data", (text: string) => {
        const found = / serving address=(\S+)/.exec(text);
        if (found?.[1]) resolve(found[1]);
      });
      service.child.on("error", reject);
      service.child.on("exit", (code) => {
        reject(new Error(`${name} ended with ${code}:\n${service.lines.join("\n")}`));
      });
    });
    return [service, address];
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
