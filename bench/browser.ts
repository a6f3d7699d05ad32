import { type Browser, chromium, type Page } from "playwright";
import { browserArgs, type LaunchedBrowser } from "../cli/browser.ts";
import { CliError, firstLine, type Log } from "../cli/errors.ts";
import type { NetworkName } from "./networks.ts";
import type { BenchPage, PageInfo } from "./page/protocol.ts";

/** An object of a page, whose methods can be called from here. */
export interface Remote<T> {
  call<K extends keyof T & string>(
    name: K,
    ...args: T[K] extends (...args: infer A) => unknown ? A : never
  ): Promise<T[K] extends (...args: never[]) => infer R ? Awaited<R> : never>;
  close(): Promise<void>;
}

/** A page that holds one system. */
export interface Tab extends Remote<BenchPage> {
  readonly info: PageInfo;
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
  const tab = await openPage<BenchPage>(browser, url, "featuremapBench");
  return { ...tab, info: await tab.call("load", network, withLedger) };
}

/** Opens a page and waits for its global object of that name. `log` takes what the page logs as information. */
export async function openPage<T>(browser: Browser, url: string, global: string, log?: Log): Promise<Remote<T>> {
  const page = await browser.newPage();
  page.setDefaultTimeout(0);
  const problems = watch(page, log);
  await page.goto(url);
  await page.waitForFunction((name) => name in globalThis, global, { timeout: 30_000 });
  const call = (name: string, ...args: unknown[]) => callIn(page, problems, global, name, args);
  return { call: call as Remote<T>["call"], close: () => page.close() };
}

async function callIn(
  page: Page,
  problems: { readonly death: Promise<never>; readonly lines: string[] },
  global: string,
  name: string,
  args: unknown[],
): Promise<unknown> {
  await page.bringToFront();
  const result = page.evaluate(
    ([object, method, sent]) => {
      const found = (globalThis as Record<string, unknown>)[object as string];
      return (found as Record<string, (...args: unknown[]) => unknown>)[method as string]!(...(sent as unknown[]));
    },
    [global, name, args] as const,
  );
  try {
    return await Promise.race([result, problems.death]);
  } catch (error) {
    const heard = problems.lines.length ? ` The page said: ${problems.lines[0]}` : "";
    throw new CliError(1, `${firstLine(error)}${heard}`, { cause: error });
  }
}

/** Rejects when the page crashes or the browser ends; collects what the page complains of. */
function watch(page: Page, log?: Log) {
  const lines: string[] = [];
  page.on("pageerror", (error) => lines.push(firstLine(error)));
  page.on("console", (message) => {
    if (message.type() === "info") log?.(message.text());
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
