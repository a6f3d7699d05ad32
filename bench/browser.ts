import { type Browser, chromium, type Page } from "playwright";
import { browserArgs, type LaunchedBrowser } from "../cli/browser.ts";
import { CliError, firstLine } from "../cli/errors.ts";
import type { NetworkName } from "./networks.ts";
import type { BenchPage, PageInfo } from "./page/protocol.ts";

/** A page that holds one system. */
export interface Tab {
  readonly info: PageInfo;
  call<K extends keyof BenchPage>(
    name: K,
    ...args: Parameters<BenchPage[K]>
  ): Promise<Awaited<ReturnType<BenchPage[K]>>>;
  close(): Promise<void>;
}

/** One more start of the browser that was found, with a profile of its own: nothing is warm in it. */
export function startBrowser({ executablePath, adapterKind }: LaunchedBrowser): Promise<Browser> {
  const software = adapterKind === "software";
  return chromium.launch({
    executablePath,
    // Where WebGPU has no GPU, WebGL has none either, and Chromium asks for consent to its software renderer.
    args: [...browserArgs({ software }), ...(software ? ["--enable-unsafe-swiftshader"] : [])],
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  });
}

export interface TabOptions {
  readonly network: NetworkName;
  readonly withLedger: boolean;
}

export async function openTab(browser: Browser, url: string, { network, withLedger }: TabOptions): Promise<Tab> {
  const page = await browser.newPage();
  page.setDefaultTimeout(0);
  const problems = watch(page);
  await page.goto(url);
  await page.waitForFunction(() => globalThis.featuremapBench !== undefined, undefined, { timeout: 30_000 });
  const call: Tab["call"] = (name, ...args) => callIn(page, problems, name, args);
  const info = await call("load", network, withLedger);
  return { info, call, close: () => page.close() };
}

async function callIn<K extends keyof BenchPage>(
  page: Page,
  problems: { readonly death: Promise<never>; readonly lines: string[] },
  name: K,
  args: Parameters<BenchPage[K]>,
): Promise<Awaited<ReturnType<BenchPage[K]>>> {
  await page.bringToFront();
  const result = page.evaluate(
    ([method, sent]) => {
      const bench = globalThis.featuremapBench as unknown as Record<string, (...args: unknown[]) => unknown>;
      return bench[method as string]!(...(sent as unknown[]));
    },
    [name, args] as const,
  );
  try {
    return (await Promise.race([result, problems.death])) as Awaited<ReturnType<BenchPage[K]>>;
  } catch (error) {
    const heard = problems.lines.length ? ` The page said: ${problems.lines[0]}` : "";
    throw new CliError(1, `${firstLine(error)}${heard}`, { cause: error });
  }
}

/** Rejects when the page crashes or the browser ends; collects what the page complains of. */
function watch(page: Page) {
  const lines: string[] = [];
  page.on("pageerror", (error) => lines.push(firstLine(error)));
  page.on("console", (message) => {
    if (message.type() === "error") lines.push(message.text());
    if (process.env.FEATUREMAP_DEBUG) console.error(`page: ${message.text()}`);
  });
  const death = new Promise<never>((_, reject) => {
    page.on("crash", () => reject(new Error("The browser's page crashed.")));
    page
      .context()
      .browser()
      ?.on("disconnected", () => reject(new Error("The browser ended.")));
  });
  death.catch(() => {});
  return { lines, death };
}
