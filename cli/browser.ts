import { type Browser, chromium, type Page } from "playwright";
import { adapterSummary } from "../src/gpu/runtime.ts";
import type { FoundBrowser } from "./browser-find.ts";
import { ensureBrowser } from "./browser-install.ts";
import { CliError, firstLine, type Log } from "./errors.ts";

export { type FoundBrowser, findBrowser } from "./browser-find.ts";
export { ensureBrowser, installBrowser } from "./browser-install.ts";

export type AdapterKind = "hardware" | "software";

export interface LaunchedBrowser {
  readonly browser: Browser;
  readonly browserName: string;
  readonly browserVersion: string;
  readonly executablePath: string;
  /** `software`: SwiftShader, the WebGPU adapter on the processor that Chromium carries for machines without a GPU. */
  readonly adapterKind: AdapterKind;
}

/** Generous, for a driver's cold start; a warm browser answers in a third of a second. */
const PROBE_TIMEOUT_MS = 10_000;
const LAUNCH_TIMEOUT_MS = 30_000;

/** Chromium's flags for WebGPU in a headless browser, on the GPU or (`software`) on SwiftShader. */
export function browserArgs({ software }: { software: boolean }): string[] {
  const args = [
    "--enable-unsafe-webgpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-gpu-watchdog",
  ];
  if (process.getuid?.() === 0) args.push("--no-sandbox");
  if (software) return [...args, "--use-webgpu-adapter=swiftshader"];
  // Without a display there is no Vulkan surface to make, and Chromium on Linux would then give up on Vulkan.
  // https://developer.chrome.com/blog/supercharge-web-ai-testing
  if (process.platform === "linux") {
    args.push("--use-angle=vulkan", "--enable-features=Vulkan", "--disable-vulkan-surface", "--ignore-gpu-blocklist");
  }
  return args;
}

/**
 * A headless browser whose pages get a WebGPU adapter: the machine's GPU, else SwiftShader. Finds the browser, or
 * installs one. The caller closes it, and handles signals: Playwright's own handlers would end the process.
 * Throws a CliError (exit 1) where no browser starts or none has an adapter.
 */
export async function launchBrowser({ log }: { log: Log }): Promise<LaunchedBrowser> {
  const found = await ensureBrowser(log);
  let reason = "";
  for (const adapterKind of ["hardware", "software"] as const) {
    try {
      const browser = await startWithAdapter(found, adapterKind);
      return {
        browser,
        browserName: found.name,
        browserVersion: browser.version(),
        executablePath: found.path,
        adapterKind,
      };
    } catch (error) {
      reason = firstLine(error);
    }
  }
  throw new CliError(
    1,
    `No WebGPU in ${found.name} (${found.path}), not even in software: ${reason}. ` +
      "Update it, or set FEATUREMAP_BROWSER to a newer Chrome, Chromium or Edge.",
  );
}

async function startWithAdapter(found: FoundBrowser, kind: AdapterKind): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: found.path,
    args: browserArgs({ software: kind === "software" }),
    timeout: LAUNCH_TIMEOUT_MS,
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
  try {
    const adapter = await probeBrowser(browser);
    if (kind === "hardware" && adapter === "software") throw new Error("the only adapter is a software one");
    return browser;
  } catch (error) {
    await browser.close();
    throw error;
  }
}

async function probeBrowser(browser: Browser): Promise<AdapterKind> {
  const page = await browser.newPage();
  try {
    // Only a secure context has navigator.gpu; localhost is one, and the route answers for a server.
    await page.route("http://localhost/", (route) => route.fulfill({ contentType: "text/html", body: "" }));
    await page.goto("http://localhost/");
    return await probeAdapter(page);
  } finally {
    await page.close();
  }
}

/** The kind of adapter that the page (a secure context) is given. Throws where there is none. */
export async function probeAdapter(page: Page): Promise<AdapterKind> {
  const found = await page.evaluate(async (timeout) => {
    if (!navigator.gpu) return "the browser has no navigator.gpu";
    const late = new Promise<"late">((resolve) => setTimeout(resolve, timeout, "late"));
    const adapter = await Promise.race([navigator.gpu.requestAdapter(), late]);
    if (adapter === "late") return `no answer to requestAdapter within ${timeout / 1000} s`;
    if (!adapter) return "requestAdapter found no adapter";
    const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
    return { vendor, architecture, device, description, isFallbackAdapter };
  }, PROBE_TIMEOUT_MS);
  if (typeof found === "string") throw new Error(found);
  return adapterSummary(found).software ? "software" : "hardware";
}
