import { readFile } from "node:fs/promises";
import type { Browser, CDPSession, Page } from "playwright-core";

/** The CPU time of the page's thread, which excludes other work of the machine. */
export interface PageWork {
  /** Milliseconds of all scripts, and of all tasks including styles and layout. */
  readonly scriptMs: number;
  readonly taskMs: number;
}

/** Measures the CPU time of a page's thread. */
export class PageWorkMeter {
  private constructor(private readonly session: CDPSession) {}

  static async on(page: Page): Promise<PageWorkMeter> {
    const session = await page.context().newCDPSession(page);
    await session.send("Performance.enable", { timeDomain: "threadTicks" });
    return new PageWorkMeter(session);
  }

  /** Totals since the page was opened. */
  async read(): Promise<PageWork> {
    const { metrics } = await this.session.send("Performance.getMetrics");
    const ms = (wanted: string) =>
      1000 * (metrics.find(({ name }) => name === wanted)?.value ?? NaN);
    return { scriptMs: ms("ScriptDuration"), taskMs: ms("TaskDuration") };
  }
}

/**
 * Megabytes of memory by kind of process (browser, renderer, GPU …), as the
 * browser's task manager reports them: memory that isn't backed by a file.
 */
export async function browserMemoryMb(browser: Browser): Promise<Record<string, number>> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const memory: Record<string, number> = {};
  for (const { id, type } of processInfo) {
    const status = await readFile(`/proc/${id}/status`, "utf8");
    const kb = (field: string) =>
      Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]);
    memory[type] = (memory[type] ?? 0) + (kb("RssAnon") + kb("VmSwap")) / 1000;
  }
  return memory;
}

export function sum(memory: Readonly<Record<string, number>>): number {
  return Object.values(memory).reduce((total, mb) => total + mb, 0);
}
