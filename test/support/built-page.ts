// The demo page as it is built and served, in a browser: what the tests under test/page open.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright";
import { type PreviewServer, preview } from "vite";
import { type LaunchedBrowser, launchBrowser } from "../../cli/browser.ts";

const CONFIG = fileURLToPath(new URL("../../demo/vite.config.ts", import.meta.url));
const WIDE = { width: 1280, height: 900 };

export interface OpenPage {
  readonly page: Page;
  /**
   * Errors and warnings of the console, uncaught errors, requests to other origins, and what the page's content security
   * policy refused, so far.
   */
  readonly problems: string[];
  close(): Promise<void>;
}

export interface BuiltPage {
  readonly url: string;
  /** Of the built files. */
  readonly folder: string;
  readonly browser: Browser;
  readonly software: boolean;
  /** A new page in a fresh profile; `prepare` runs before it loads. */
  open(options?: OpenOptions): Promise<OpenPage>;
  close(): Promise<void>;
}

export interface OpenOptions extends BrowserContextOptions {
  /** What follows the page's address: `?images=256#train`. */
  readonly at?: string;
  readonly prepare?: (page: Page) => Promise<unknown>;
}

/** Builds the page into a folder that is emptied before. */
export function buildPage(folder: string): void {
  // Apart from the test's own environment, in which Vite would not build for production.
  const { NODE_ENV: _, ...env } = process.env;
  const options = ["--config", CONFIG, "--outDir", folder, "--emptyOutDir", "--logLevel", "error"];
  execFileSync("npx", ["vite", "build", ...options], { env, stdio: "inherit" });
}

/** Builds the page into a folder of its own, and serves it under a path, as a host might. */
export async function serveBuiltPage(): Promise<BuiltPage> {
  const root = mkdtempSync(join(tmpdir(), "featuremap-page-"));
  const folder = join(root, "some/path");
  buildPage(folder);
  const server: PreviewServer = await preview({
    configFile: CONFIG,
    logLevel: "error",
    build: { outDir: root },
    preview: { host: "127.0.0.1", port: 0, strictPort: false },
  });
  const launched: LaunchedBrowser = await launchBrowser({ log: console.error });
  const url = new URL("some/path/", server.resolvedUrls!.local[0]!).href;
  return {
    url,
    folder,
    browser: launched.browser,
    software: launched.adapterKind === "software",
    async open({ at = "", prepare, ...options } = {}) {
      const context = await launched.browser.newContext({ viewport: WIDE, ...options });
      const page = await context.newPage();
      const problems = await watch(page, url);
      await prepare?.(page);
      await page.goto(url + at);
      return { page, problems, close: () => context.close() };
    },
    async close() {
      await launched.browser.close();
      await server.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Notes what goes wrong on a page that was not opened yet. */
export async function watch(page: Page, url: string): Promise<string[]> {
  const problems: string[] = [];
  const { origin } = new URL(url);
  page.on("console", (line) => ["error", "warning"].includes(line.type()) && problems.push(line.text()));
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("request", (request) => {
    const to = new URL(request.url());
    if (to.protocol.startsWith("http") && to.origin !== origin) problems.push(`a request to ${to.href}`);
  });
  // A page's worker has a policy too, and tells of it itself.
  await page.addInitScript(tellOfRefusals);
  page.on("worker", (worker) => void worker.evaluate(tellOfRefusals).catch(() => {}));
  return problems;
}

function tellOfRefusals(): void {
  addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sample }) =>
    console.error(`The content security policy refused by ${effectiveDirective}: ${blockedURI} ${sample}`),
  );
}

/** Resolves when the page has found what computes on it. */
export async function adapterFound(page: Page): Promise<void> {
  await page.waitForSelector('[data-adapter="ready"]', { timeout: 30_000 });
}
