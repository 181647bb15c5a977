import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kRoot, Service } from "./processes.js";

export interface CityOptions {
  readonly drivers: number;
  readonly clockRate: number;
  /** Ride requests a minute of the city's; what loadtest takes by itself if it isn't given. */
  readonly flags?: readonly string[];
}

/** The services, the gateway with the page, and a simulated city, all on free ports. */
export class City {
  private services: Service[] = [];
  private gateway: Service | null = null;
  private upstream: string[] = [];
  address = "";

  private constructor(private readonly folder: string) {}

  static async start(options: CityOptions): Promise<City> {
    const city = new City(await mkdtemp(join(tmpdir(), "ridestream-e2e-")));
    const rate = `--clock_rate=${options.clockRate}`;
    const listen = "--listen=127.0.0.1:0";
    try {
      const trip = await city.serve("trip", [listen, rate, `--data=${city.folder}`]);
      const location = await city.serve("location", [listen, rate]);
      const peers = [`--trip=${trip}`, `--location=${location}`];
      const dispatch = await city.serve("dispatch", [listen, rate, ...peers]);
      city.upstream = [...peers, `--dispatch=${dispatch}`];
      await city.startGateway("127.0.0.1:0");
      const load = [rate, `--drivers=${options.drivers}`, "--seconds=3600", ...city.upstream];
      city.services.push(Service.start("loadtest", [...load, ...(options.flags ?? [])]));
    } catch (error) {
      await city.stop();
      throw error;
    }
    return city;
  }

  get url(): string {
    return `http://${this.address}/`;
  }

  /** On the address where it was before, when it was stopped. */
  async startGateway(listen = this.address): Promise<void> {
    const flags = [`--listen=${listen}`, `--web=${join(kRoot, "services/gateway/web/dist")}`, ...this.upstream];
    [this.gateway, this.address] = await Service.serve("gateway", flags);
  }

  async stopGateway(): Promise<void> {
    await this.gateway?.stop();
    this.gateway = null;
  }

  async stop(): Promise<void> {
    await this.stopGateway();
    // The load generator first, and at once: nobody reads its report.
    for (const service of this.services.reverse()) {
      await service.stop(service.name === "loadtest" ? "SIGKILL" : "SIGTERM");
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  private async serve(name: string, flags: readonly string[]): Promise<string> {
    const [service, address] = await Service.serve(name, flags);
    this.services.push(service);
    return address;
  }
}
