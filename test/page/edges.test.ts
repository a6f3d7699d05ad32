// What the page does where something is missing.

import type { Page } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adapterFound, type BuiltPage, serveBuiltPage } from "../support/built-page.ts";

let built: BuiltPage;
beforeAll(async () => {
  built = await serveBuiltPage();
});
afterAll(() => built?.close());

/** Runs in the page and, since the library is in a worker, in front of the worker's own script. */
function inWorker(code: string) {
  return async (page: Page) => {
    await page.route("**/assets/worker-*.js", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `${code};\n${await response.text()}` });
    });
  };
}

describe("without WebGPU", () => {
  it("says so, what to do, and still shows every section", async () => {
    const prepare = inWorker("delete WorkerNavigator.prototype.gpu");
    const { page, problems, close } = await built.open({ prepare });
    await page.waitForSelector('[data-adapter="unsupported"]');
    const alert = await page.locator('[data-topic="adapter"]').textContent();
    expect(alert).toMatch(/needs WebGPU/);
    expect(alert).toMatch(/Use a browser with WebGPU/);
    expect(await page.locator("main section").count()).toBeGreaterThan(0);
    expect(problems).toEqual([]);
    await close();
  });

  it("tells of a missing adapter", async () => {
    const prepare = inWorker("GPU.prototype.requestAdapter = () => Promise.resolve(null)");
    const { page, problems, close } = await built.open({ prepare });
    await page.waitForSelector('[data-adapter="unsupported"]');
    expect(await page.locator('[data-topic="adapter"]').textContent()).toMatch(/no adapter/);
    expect(problems).toEqual([]);
    await close();
  });
});

describe("on a software adapter", () => {
  it("says that it will be slow, once, and can be told to stop saying so", async (context) => {
    if (!built.software) context.skip("this machine has a GPU");
    const { page, close } = await built.open();
    await adapterFound(page);
    const note = page.locator('[data-topic="software"]');
    expect(await note.textContent()).toMatch(/No GPU was found/);
    await note.getByRole("button", { name: "Dismiss" }).click();
    expect(await note.count()).toBe(0);
    await close();
  });
});

describe("without a network", () => {
  it("opens again, and computes, once it was opened before", async () => {
    const { page, problems, close } = await built.open();
    await adapterFound(page);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await expect
      .poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null), { timeout: 10_000 })
      .toBe(true);
    await page.context().setOffline(true);
    await page.reload();
    await adapterFound(page);
    expect(problems).toEqual([]);
    await close();
  });
});
