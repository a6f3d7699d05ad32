// The page on a host that lets every file be kept for a year, deployed anew while readers have it open, beside others.

import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { launchBrowser } from "../../cli/browser.ts";
import { serviceWorkerOf } from "../../demo/offline/offline.ts";
import { adapterFound, buildPage, watch } from "../support/built-page.ts";
import { button, SLOW } from "../support/page-parts.ts";
import { type StaticHost, startHost } from "../support/static-host.ts";

const root = mkdtempSync(join(tmpdir(), "featuremap-deployments-"));
const [FIRST, SECOND] = [join(root, "first"), join(root, "second")];
const PATH = "/of/reader/";
/** Names of caches that are other apps', or other deployments' of this one. */
const FOREIGN = ["another app", "featuremap-next", "featuremap page /of/ 0123456789ab", "featuremap-0123456789ab"];

let host: StaticHost;
let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  buildPage(FIRST);
  buildAnother(FIRST, SECOND);
  host = await startHost();
  ({ browser } = await launchBrowser({ log: console.error }));
});
afterAll(async () => {
  await browser?.close();
  await host?.close();
  rmSync(root, { recursive: true, force: true });
});
beforeEach(async () => {
  await context?.close();
  context = await browser.newContext({ reducedMotion: "reduce" });
  host.instead.clear();
  host.folders.clear();
  host.folders.set(PATH, FIRST);
});

/** The same page as a second build: other names for its scripts and styles, and `deployment` is 2 in it. */
function buildAnother(from: string, to: string): void {
  cpSync(from, to, { recursive: true, filter: (file) => !file.endsWith("-ubyte") });
  const files = readdirSync(to, { recursive: true, encoding: "utf8", withFileTypes: true }).filter((it) => it.isFile());
  const paths = files.map((file) => join(file.parentPath, file.name).slice(to.length + 1));
  const hashes = paths.flatMap((path) => /-([\w-]{8})\.(?:js|css)$/.exec(path)?.[1] ?? []);
  const renamed = (text: string) =>
    hashes.reduce((all, hash) => all.replaceAll(hash, [...hash].reverse().join("")), text);
  for (const path of paths.filter((path) => /\.(js|css|html)$/.test(path))) {
    const text = renamed(readFileSync(join(to, path), "utf8"));
    writeFileSync(join(to, path), /index-.*\.js$/.test(path) ? `globalThis.deployment=2;${text}` : text);
    renameSync(join(to, path), join(to, renamed(path)));
  }
  const built = paths.map(renamed).filter((path) => path !== "service-worker.js");
  const contents = built.map((name) => ({ name, content: readFileSync(join(to, name)) }));
  writeFileSync(join(to, "service-worker.js"), serviceWorkerOf(contents));
}

/** A tab with the page, once it is kept for times without a network. */
async function opened(path = PATH): Promise<{ page: Page; problems: string[] }> {
  const page = await context.newPage();
  const problems = await watch(page, host.origin + path);
  await page.goto(host.origin + path);
  await adapterFound(page);
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null), SLOW).toBe(true);
  return { page, problems };
}

const deployment = (page: Page) =>
  page.evaluate(() => (globalThis as unknown as { deployment?: number }).deployment ?? 1);

const caches = (page: Page) => page.evaluate(() => globalThis.caches.keys());
const own = async (page: Page, path = PATH) =>
  (await caches(page)).filter((name) => name.startsWith(`featuremap page ${path} `));

/** Looks for a newer build, and waits until it is installed or has failed. */
async function update(page: Page): Promise<"waiting" | "failed" | "none"> {
  return page.evaluate(async () => {
    const registration = (await navigator.serviceWorker.getRegistration())!;
    await registration.update();
    const { installing } = registration;
    if (!installing) return registration.waiting ? "waiting" : "none";
    await new Promise<void>((resolve) => {
      installing.addEventListener("statechange", () => installing.state !== "installing" && resolve());
    });
    return registration.waiting ? "waiting" : "failed";
  });
}

/** Every file that the page has asked for is of the folder. */
async function expectWhole(page: Page, folder: string): Promise<void> {
  const asked = await page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name));
  const assets = asked.filter((name) => name.includes("/assets/")).map((name) => name.split("/assets/")[1]!);
  expect(assets.length).toBeGreaterThan(1);
  for (const name of assets) expect(readdirSync(join(folder, "assets"))).toContain(name);
}

const newer = (page: Page) => page.locator('[data-topic="newer"]');

describe("a second deployment", () => {
  it("waits for the reader, then is there in whole, past every cache, and others' caches stay", async () => {
    const { page, problems } = await opened();
    await page.evaluate(async (names) => {
      for (const name of names) await (await globalThis.caches.open(name)).put("/of/x", new Response("foreign"));
    }, FOREIGN);
    host.folders.set(PATH, SECOND);
    expect(await update(page)).toBe("waiting");
    await newer(page).waitFor(SLOW);
    await page.reload();
    await adapterFound(page);
    expect(await deployment(page)).toBe(1);
    await expectWhole(page, FIRST);
    await newer(page).waitFor(SLOW);
    await Promise.all([page.waitForEvent("load"), button(newer(page), "Reload now").click()]);
    await adapterFound(page);
    expect(await deployment(page)).toBe(2);
    await expectWhole(page, SECOND);
    await expect.poll(() => own(page)).toHaveLength(1);
    expect(await caches(page)).toEqual(expect.arrayContaining(FOREIGN));
    await context.setOffline(true);
    for (const file of ["", "index.html"]) {
      await page.goto(host.origin + PATH + file);
      await adapterFound(page);
      expect(await deployment(page)).toBe(2);
      await expectWhole(page, SECOND);
    }
    expect(problems).toEqual([]);
  });

  it("opens by itself once all tabs of the first are closed", async () => {
    const { page } = await opened();
    host.folders.set(PATH, SECOND);
    expect(await update(page)).toBe("waiting");
    await page.close();
    const other = await context.newPage();
    await other.goto(`${host.origin}/elsewhere`);
    // The browser activates it some time after the last tab is gone.
    const isWaiting = (scope: string) =>
      navigator.serviceWorker.getRegistration(scope).then((registration) => Boolean(registration!.waiting));
    await expect.poll(() => other.evaluate(isWaiting, PATH)).toBe(false);
    await other.goto(host.origin + PATH);
    await adapterFound(other);
    expect(await deployment(other)).toBe(2);
    await expectWhole(other, SECOND);
    await expect.poll(() => own(other)).toHaveLength(1);
  });

  it("leaves a tab of the first its files when another tab has taken it", async () => {
    const [{ page: stays, problems }, { page: goes }] = [await opened(), await opened()];
    const files = readdirSync(join(FIRST, "assets"));
    host.folders.set(PATH, SECOND);
    expect(await update(goes)).toBe("waiting");
    await newer(goes).waitFor(SLOW);
    await Promise.all([goes.waitForEvent("load"), button(newer(goes), "Reload now").click()]);
    await adapterFound(goes);
    expect(await deployment(goes)).toBe(2);
    await expect.poll(() => newer(stays).innerText(), SLOW).toContain("updated in another tab");
    await context.setOffline(true);
    const got = await stays.evaluate(async (names) => {
      const all = await Promise.all(names.map((name) => fetch(`assets/${name}`)));
      return all.map(({ ok }) => ok);
    }, files);
    expect(got).toEqual(files.map(() => true));
    expect(await deployment(stays)).toBe(1);
    expect(problems).toEqual([]);
  });

  it.each(["is missing a file", "has another build's file"])("that %s leaves the first as it was", async (which) => {
    const { page, problems } = await opened();
    const before = await caches(page);
    host.folders.set(PATH, SECOND);
    const [name] = readdirSync(join(SECOND, "assets")).filter((file) => file.startsWith("worker-"));
    const other = { status: 200, text: "globalThis.other = true" };
    host.instead.set(`${PATH}assets/${name}`, which === "is missing a file" ? { status: 404 } : other);
    expect(await update(page)).toBe("failed");
    expect(await caches(page)).toEqual(before);
    expect(await newer(page).count()).toBe(0);
    await context.setOffline(true);
    await page.reload();
    await adapterFound(page);
    expect(await deployment(page)).toBe(1);
    expect(problems.filter((line) => !/integrity|404|install/i.test(line))).toEqual([]);
    // The next visit with a whole deployment takes it.
    await context.setOffline(false);
    host.instead.clear();
    expect(await update(page)).toBe("waiting");
  });
});

describe("two deployments of one origin", () => {
  it("keep a cache each, also when one of them is deployed anew", async () => {
    const OTHER = "/of/";
    host.folders.set(OTHER, FIRST);
    const { page } = await opened();
    const { page: other } = await opened(OTHER);
    const theirs = await own(other, OTHER);
    expect(theirs).toHaveLength(1);
    host.folders.set(PATH, SECOND);
    expect(await update(page)).toBe("waiting");
    await newer(page).waitFor(SLOW);
    await Promise.all([page.waitForEvent("load"), button(newer(page), "Reload now").click()]);
    await adapterFound(page);
    expect(await deployment(page)).toBe(2);
    expect(await own(other, OTHER)).toEqual(theirs);
    expect(await newer(other).count()).toBe(0);
    await context.setOffline(true);
    for (const [tab, folder] of [
      [page, SECOND],
      [other, FIRST],
    ] as const) {
      await tab.reload();
      await adapterFound(tab);
      await expectWhole(tab, folder);
    }
  });
});
