// The demo page as `npm run dev` serves it, in a browser.

import { fileURLToPath } from "node:url";
import type { Page } from "playwright";
import { createServer, type ViteDevServer } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LaunchedBrowser, launchBrowser } from "../../cli/browser.ts";

const CONFIG = fileURLToPath(new URL("../../demo/vite.config.ts", import.meta.url));
const TRAINING_MS = 200_000;
const SMALL = "?images=256&epochs=1&batch=32";

let vite: ViteDevServer;
let launched: LaunchedBrowser;
beforeAll(async () => {
  vite = await createServer({ configFile: CONFIG, logLevel: "silent", server: { host: "127.0.0.1", port: 0 } });
  await vite.listen();
  launched = await launchBrowser({ log: console.error });
});
afterAll(async () => {
  await launched?.browser.close();
  await vite?.close();
});

/** A new page at the demo, `prepare`d before it loads, and what went wrong in it so far. */
async function open(query = "", prepare?: (page: Page) => Promise<unknown>) {
  const page = await launched.browser.newPage({ viewport: { width: 1280, height: 900 } });
  const problems: string[] = [];
  page.on("console", (line) => ["error", "warning"].includes(line.type()) && problems.push(line.text()));
  page.on("pageerror", (error) => problems.push(error.message));
  await prepare?.(page);
  await page.goto(vite.resolvedUrls!.local[0]! + query);
  return { page, problems };
}

function reaches(page: Page, state: string, timeout = 30_000) {
  return page.waitForSelector(`main[data-state=${state}]`, { timeout });
}

describe("the demo page", () => {
  it("trains, and shows curve, figures and digits", { timeout: TRAINING_MS }, async () => {
    const { page, problems } = await open(SMALL);
    await reaches(page, "ready");
    expect(await page.locator("#adapter").textContent()).toMatch(/\S{3}/);
    expect(await page.locator("#expectation").isVisible()).toBe(launched.adapterKind === "software");
    expect(await page.locator("#layers tr").allTextContents()).toHaveLength(7);
    expect(await page.locator("#total").textContent()).toBe("1,087,106");

    await page.keyboard.press("Tab");
    for (let i = 0; i < 2; i++) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await reaches(page, "finished", TRAINING_MS);

    const status = /^Finished after one epoch: [\d.]+% of 100 test images read right\.$/;
    expect(await page.locator("#status").textContent()).toMatch(status);
    for (const curve of ["#loss-curve", "#accuracy-curve"]) {
      expect(await page.locator(`${curve} path.training`).getAttribute("d")).toMatch(/^M\d/);
      expect(await page.locator(`${curve} circle.test`).count()).toBe(1);
    }
    expect(await page.locator("#loss-curve svg").getAttribute("aria-label")).toMatch(/in training \d/);
    expect(await page.locator(".figures dd").allTextContents()).toEqual(Array(6).fill(expect.stringMatching(/\d/)));
    expect(await page.locator("#digits li:is(.right, .wrong)").count()).toBe(20);
    expect(await page.locator("#digits-note").textContent()).toMatch(/^\d+ of 20 right/);
    expect(await page.locator("#button").textContent()).toBe("Train");

    await page.setViewportSize({ width: 360, height: 740 });
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    expect(problems).toEqual([]);
    await page.close();
  });

  it("stops, and can begin again", { timeout: TRAINING_MS }, async () => {
    const { page, problems } = await open("?images=1024&epochs=100&batch=16");
    await reaches(page, "ready");
    await page.click("#button");
    await page.waitForFunction(() => /^step [1-9]/.test(document.querySelector("#detail")!.textContent!));
    expect(await page.locator("#epochs").isDisabled()).toBe(true);
    await page.click("#button");
    await reaches(page, "stopped", TRAINING_MS);
    expect(await page.locator("#status").textContent()).toMatch(/^Stopped in epoch \d+, after step [\d,]+\.$/);
    expect(await page.locator("#button").textContent()).toBe("Train");
    expect(await page.locator("#epochs").isEnabled()).toBe(true);
    await page.click("#button");
    await reaches(page, "training", TRAINING_MS);
    expect(problems).toEqual([]);
    await page.close();
  });
});

describe("the demo page, where it cannot train", () => {
  it("says that the browser has no WebGPU", async () => {
    const { page, problems } = await open("", (page) =>
      page.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, "gpu")),
    );
    await reaches(page, "unsupported");
    expect(await page.getByRole("alert").textContent()).toContain("no WebGPU");
    expect(await page.locator("#button").isDisabled()).toBe(true);
    expect(await page.locator("#layers tr").count()).toBe(7);
    expect(problems).toEqual([]);
    await page.close();
  });

  it("says that there is no adapter", async () => {
    const { page } = await open("", (page) =>
      page.addInitScript(() => {
        GPU.prototype.requestAdapter = () => Promise.resolve(null);
      }),
    );
    await reaches(page, "unsupported");
    expect(await page.getByRole("alert").textContent()).toContain("no adapter");
    await page.close();
  });

  it("says that the data is missing, and loads it when it is back", { timeout: TRAINING_MS }, async () => {
    const { page } = await open(SMALL);
    await reaches(page, "ready");
    await page.route("**/mnist/*", (route) => route.fulfill({ status: 404, body: "gone" }));
    await page.click("#button");
    await reaches(page, "failed");
    expect(await page.getByRole("alert").textContent()).toMatch(/MNIST could not be loaded.*404/);
    await page.unroute("**/mnist/*");
    await page.click("#button");
    await reaches(page, "training");
    expect(await page.getByRole("alert").isVisible()).toBe(false);
    await page.close();
  });

  it("says that the device was lost, and trains on a new one", { timeout: TRAINING_MS }, async () => {
    const { page, problems } = await open("?images=1024&epochs=100&batch=16", (page) =>
      page.addInitScript(() => {
        const request = GPUAdapter.prototype.requestDevice;
        GPUAdapter.prototype.requestDevice = async function (descriptor) {
          const device = await request.call(this, descriptor);
          addEventListener("lose-device", () => device.destroy());
          return device;
        };
      }),
    );
    await reaches(page, "ready");
    await page.click("#button");
    const stepping = () => /^step [1-9]/.test(document.querySelector("#detail")!.textContent!);
    await page.waitForFunction(stepping);
    await page.evaluate(() => dispatchEvent(new Event("lose-device")));
    await reaches(page, "failed");
    expect(await page.getByRole("alert").textContent()).toContain("device was lost");
    await page.click("#button");
    await page.waitForFunction(stepping);
    expect(await page.getByRole("alert").isVisible()).toBe(false);
    expect(problems).toEqual([]);
    await page.close();
  });

  it("says which part of the address makes no sense", async () => {
    const { page } = await open("?epochs=0");
    await reaches(page, "ready");
    expect(await page.getByRole("alert").textContent()).toContain("epochs=0");
    await page.close();
  });
});
