// Training in a page whose browser's GPU process crashes, by Chromium's own command.

import { fileURLToPath } from "node:url";
import { type Browser, type CDPSession, chromium, type Page } from "playwright";
import { build, type Rolldown } from "vite";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { browserArgs, findBrowser, launchBrowser } from "../../cli/browser.ts";
import { leanShaders } from "../../cli/lean-shaders.ts";
import { randomIntegers } from "../reference/random.ts";
import type { RunOptions, RunResult } from "./crash/page.ts";

const PAGE = fileURLToPath(new URL("crash/page.ts", import.meta.url));
const URL_OF_PAGE = "http://localhost/";

/** Chromium does without a GPU process after some crashes, and ends after six, unless it is told not to. */
const GPU_STAYS = "--disable-gpu-process-crash-limit";
/** It gives a page no adapter after the third crash within two minutes, until the page is reloaded. */
const NO_BLOCKING = "--disable-domain-blocking-for-3d-apis";

/** When the GPU process crashes: as a part of the run begins or, where `ms` is not 0, so many ms after. */
interface Crash {
  readonly part: string;
  readonly ms: number;
}

let script: string;
let software: boolean;
let plain: string;
beforeAll(async () => {
  const built = (await build({
    configFile: false,
    logLevel: "error",
    publicDir: false,
    plugins: [leanShaders()],
    build: { write: false, target: "es2022", lib: { entry: PAGE, formats: ["es"] } },
  })) as Rolldown.RolldownOutput[];
  script = built[0]!.output[0].code;
  const launched = await launchBrowser({ log: () => {} });
  software = launched.adapterKind === "software";
  await launched.browser.close();
  const host = await open([]);
  plain = outcomeOf(await host.run([]));
});

interface Host {
  readonly page: Page;
  /** Crashes one after the other, each when the one before has come to pass. */
  run(crashes: readonly Crash[], options?: RunOptions): Promise<RunResult>;
  /** Crashes of the last run that have come to pass. */
  readonly crashed: number;
  reload(): Promise<void>;
}

const browsers: Browser[] = [];
afterEach(async () => {
  for (const browser of browsers.splice(0)) await browser.close();
});

async function open(args: readonly string[]): Promise<Host> {
  const browser = await chromium.launch({
    executablePath: findBrowser()!.path,
    args: [...browserArgs({ software }), ...args],
  });
  browsers.push(browser);
  const cdp: CDPSession = await browser.newBrowserCDPSession();
  const page = await browser.newPage();
  page.setDefaultTimeout(120_000);
  await page.route(`${URL_OF_PAGE}**`, (route) =>
    route.request().url().endsWith("/page.js")
      ? route.fulfill({ contentType: "text/javascript", body: script })
      : route.fulfill({
          contentType: "text/html",
          body: '<!doctype html><script type="module" src="page.js"></script>',
        }),
  );
  let left: Crash[] = [];
  let crashed = 0;
  const crash = async ({ ms }: Crash) => {
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
    await cdp.send("Browser.crashGpuProcess");
    crashed++;
  };
  let crashing: Promise<void> = Promise.resolve();
  await page.exposeFunction("reached", async (part: string) => {
    const [next] = left;
    if (next?.part === part) {
      left = left.slice(1);
      crashing = crash(next);
    }
    // No run ends before its crash.
    if (part === "end") await crashing;
  });
  const ready = () => page.waitForFunction(() => "run" in globalThis);
  await page.goto(URL_OF_PAGE);
  await ready();
  return {
    page,
    async run(crashes, options = {}) {
      left = [...crashes];
      crashed = 0;
      return page.evaluate((given) => globalThis.run(given), options);
    },
    get crashed() {
      return crashed;
    },
    async reload() {
      await page.reload();
      await ready();
    },
  };
}

function outcomeOf(result: RunResult): string {
  expect(result).toHaveProperty("outcome");
  return (result as { outcome: string }).outcome;
}

/** Three crashes a training. Between crashes that come before training goes on, one comes while it does. */
const PARTS = [
  ["make", "batch", "made"],
  ["batch", "predict", "make"],
  ["snapshot", "made", "evaluate"],
  ["evaluate", "make", "batch"],
  ["made", "snapshot", "predict"],
];
const MS = randomIntegers(PARTS.length * 3, 31, 20);
const RUNS = PARTS.map((parts, run) =>
  parts.map((part, i) => ({ part, ms: (i + run) % 2 === 0 ? 0 : MS[run * 3 + i]! + 1 })),
);

describe("trainWithRecovery in a page", () => {
  it("ends in the bits of an undisturbed training, whenever the GPU process crashes", async () => {
    const host = await open([GPU_STAYS, NO_BLOCKING]);
    for (const crashes of RUNS) {
      const result = await host.run(crashes);
      expect(result, JSON.stringify(crashes)).toHaveProperty("outcome");
      expect(outcomeOf(result) === plain, JSON.stringify(crashes)).toBe(true);
      expect(host.crashed).toBe(3);
    }
  });

  it("says to reload where the browser gives no adapter any more, and goes on after that", async () => {
    const host = await open([GPU_STAYS]);
    const crashes = ["evaluate", "predict", "batch", "batch"].map((part) => ({ part, ms: 0 }));
    const failed = await host.run(crashes, { store: "digits" });
    expect(failed).toMatchObject({
      code: "lost",
      message: expect.stringMatching(/Reload the page .*The store holds a snapshot/),
    });
    await host.reload();
    const result = await host.run([], { store: "digits" });
    expect(result).toMatchObject({ recoveries: 0 });
    expect(outcomeOf(result) === plain).toBe(true);
  });
});
