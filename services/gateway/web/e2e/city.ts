import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kRoot, makeAuthority, publicKeyHash, securityFlags, Service } from "./processes.js";

export interface CityOptions {
  readonly drivers: number;
  readonly clockRate: number;
  /** Flags of loadtest. */
  readonly flags?: readonly string[];
  /** Flags of dispatch. */
  readonly dispatchFlags?: readonly string[];
  /** The cars' first places as longitude and latitude; random places by default. */
  readonly fleet?: readonly (readonly [number, number])[];
  /** Where people sign in, with a gateway that speaks TLS. By default, the city signs in a browser by
   * a one-time code. */
  readonly oidc?: Readonly<{ gatewayFlags: readonly string[] }>;
}

/** Flags for a city without riders but the test, where drivers accept and complete every ride. */
export const kQuietCity = [
  "--requests_per_hour=0.01",
  "--disconnect_per_hour=0",
  "--accept_probability=1",
  "--decline_probability=0",
  "--give_up_probability=0",
];

/** A cookie for a browser's context. */
export interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly url: string;
}

/** The services, the gateway with the page, and a simulated city, all on free ports and secured by a
 * throwaway authority. */
export class City {
  private services: Service[] = [];
  private gateway: Service | null = null;
  private upstream: string[] = [];
  private signInFlags: string[] = [];
  address = "";
  /** The address that the gateway announced at its last start. It signs one browser in, by a code. */
  page = "";
  /** The session of a browser that has signed in. It outlives restarts of the gateway. */
  cookies: readonly Cookie[] = [];

  private constructor(private readonly folder: string) {}

  static async start(options: CityOptions): Promise<City> {
    const city = new City(await mkdtemp(join(tmpdir(), "ridestream-e2e-")));
    const rate = `--clock_rate=${options.clockRate}`;
    const listen = "--listen=127.0.0.1:0";
    try {
      await makeAuthority(city.authority);
      const trip = await city.serve("trip", [listen, rate, `--data=${city.folder}`]);
      const location = await city.serve("location", [listen, rate]);
      const peers = [`--trip=${trip}`, `--location=${location}`];
      const dispatchFlags = [listen, rate, ...peers, ...(options.dispatchFlags ?? [])];
      const dispatch = await city.serve("dispatch", dispatchFlags);
      city.upstream = [...peers, `--dispatch=${dispatch}`];
      city.signInFlags = options.oidc
        ? [...(await city.httpsFlags()), ...options.oidc.gatewayFlags]
        : [`--sign_in_authority=${city.authority}`];
      await city.startGateway("127.0.0.1:0");
      if (!options.oidc) city.cookies = [await signIn(city.page)];
      const load = [
        rate,
        `--authority=${city.authority}`,
        `--drivers=${options.drivers}`,
        "--seconds=3600",
        ...city.upstream,
      ];
      if (options.fleet) load.push(`--fleet=${await city.writeFleet(options.fleet)}`);
      city.services.push(Service.start("loadtest", [...load, ...(options.flags ?? [])]));
    } catch (error) {
      await city.stop();
      throw error;
    }
    return city;
  }

  private get authority(): string {
    return join(this.folder, "authority");
  }

  get url(): string {
    return new URL("/", this.page).href;
  }

  /** The hash of the gateway's public key, see publicKeyHash. */
  async keyHash(): Promise<string> {
    return publicKeyHash(await readFile(join(this.authority, "gateway.pem")));
  }

  /** The flags of a gateway that speaks TLS and signs sessions by the key of the city's tokens. */
  private async httpsFlags(): Promise<string[]> {
    const files = ["gateway.pem", "gateway.key"].map((name) => join(this.authority, name));
    const both = await Promise.all(files.map((file) => readFile(file, "utf8")));
    const path = join(this.folder, "https.pem");
    await writeFile(path, both.join(""), { mode: 0o600 });
    return [`--https_certificate=${path}`, `--session_key=${join(this.authority, "tokens.jwk")}`];
  }

  /** Starts the gateway, by default at the address that it had before. */
  async startGateway(listen = this.address): Promise<void> {
    const flags = [
      `--listen=${listen}`,
      `--web=${join(kRoot, "services/gateway/web/dist")}`,
      ...this.signInFlags,
      ...securityFlags(this.authority, "gateway"),
      ...this.upstream,
    ];
    const [gateway, { address, page }] = await Service.serve("gateway", flags);
    this.gateway = gateway;
    this.address = address;
    this.page = page;
  }

  async stopGateway(): Promise<void> {
    await this.gateway?.stop();
    this.gateway = null;
  }

  async stop(): Promise<void> {
    await this.stopGateway();
    // The load generator first, without its report.
    for (const service of this.services.reverse()) {
      await service.stop(service.name === "loadtest" ? "SIGKILL" : "SIGTERM");
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  private async writeFleet(places: readonly (readonly [number, number])[]): Promise<string> {
    const file = join(this.folder, "fleet.csv");
    await writeFile(
      file,
      ["lat,lng,seats", ...places.map(([lng, lat]) => `${lat},${lng},4`), ""].join("\n"),
    );
    return file;
  }

  private async serve(name: string, flags: readonly string[]): Promise<string> {
    const secured = [...securityFlags(this.authority, name), ...flags];
    const [service, { address }] = await Service.serve(name, secured);
    this.services.push(service);
    return address;
  }
}

/** Opens the announced address as a browser does, and returns the session's cookie. */
async function signIn(page: string): Promise<Cookie> {
  const answer = await fetch(page, { redirect: "manual" });
  const [, name, value] = /^([^=]+)=([^;]*);/.exec(answer.headers.get("set-cookie") ?? "") ?? [];
  if (!name || !value) throw new Error(`can't sign in at ${page}: ${await answer.text()}`);
  return { name, value, url: page };
}
