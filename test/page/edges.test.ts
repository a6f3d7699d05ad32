// What the page does where something is missing.

import type { Page } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adapterFound, type BuiltPage, serveBuiltPage } from "../support/built-page.ts";
import { button, choose, knob, SLOW, trainingIs } from "../support/page-parts.ts";

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

describe("a device that is lost", () => {
  /** Keeps the newest device; `lose` of the worker's name takes it away, as a driver's reset does. */
  const KEEP_DEVICE = `
    const requestDevice = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (...options) {
      const device = await requestDevice.apply(this, options);
      new BroadcastChannel("lose").onmessage = () => device.destroy();
      return device;
    }`;
  const lose = (page: Page) => page.evaluate(() => new BroadcastChannel("lose").postMessage("now"));

  it("while it trains does not end the training: it resumes by itself, and finishes", async () => {
    const at = "?layers=small&images=4096&epochs=6&batch=32&rate=0.1";
    const { page, problems, close } = await built.open({ at, prepare: inWorker(KEEP_DEVICE), reducedMotion: "reduce" });
    await adapterFound(page);
    await page.locator("#train-start").click();
    const place = () => page.locator("#train-place").innerText();
    await expect.poll(place, SLOW).toMatch(/^epoch [2-6] of 6/);
    await lose(page);
    const notice = page.locator('[data-topic="recovering"]');
    await notice.waitFor(SLOW);
    expect(await notice.innerText()).toMatch(/The GPU was lost. Training goes on/);
    await trainingIs(page, "training");
    await expect.poll(() => notice.innerText(), SLOW).toMatch(/The GPU is back. Training is running again/);
    await trainingIs(page, "finished", "failed");
    expect(await page.locator("#train-state").getAttribute("data-state")).toBe("finished");
    // Six epochs in all, and what was learned before was not lost.
    await page.locator(".epochs summary").click();
    const epochs = await page.locator(".epochs tbody th").allInnerTexts();
    expect(epochs).toEqual(["1", "2", "3", "4", "5", "6"]);
    expect(Number.parseFloat(await page.locator("#validation-accuracy").innerText())).toBeGreaterThan(80);
    await notice.waitFor({ state: "detached", timeout: 60_000 });
    expect(problems).toEqual([]);
    await close();
  });

  /** As `KEEP_DEVICE`; what was on the device then fails in the browser's words, with a `DOMException`'s legacy code. */
  const KEEP_REFUSING = `${KEEP_DEVICE}
    const gone = new WeakSet();
    const deviceOf = new WeakMap();
    const { requestDevice: request } = GPUAdapter.prototype;
    GPUAdapter.prototype.requestDevice = async function (...options) {
      const device = await request.apply(this, options);
      deviceOf.set(device.queue, device);
      new BroadcastChannel("lose").addEventListener("message", () => gone.add(device));
      return device;
    };
    const { createBuffer } = GPUDevice.prototype;
    GPUDevice.prototype.createBuffer = function (descriptor) {
      const buffer = createBuffer.call(this, descriptor);
      deviceOf.set(buffer, this);
      return buffer;
    };
    for (const [type, name] of [[GPUQueue, "onSubmittedWorkDone"], [GPUBuffer, "mapAsync"]]) {
      const real = type.prototype[name];
      const refused = () => Promise.reject(new DOMException("A valid external Instance reference is gone.", "AbortError"));
      type.prototype[name] = function (...range) {
        return gone.has(deviceOf.get(this)) ? refused() : real.apply(this, range);
      };
    }`;

  it("while it trains and fails what runs with a DOMException is a lost device all the same", async () => {
    const at = "?layers=small&images=2048&epochs=5&batch=32&rate=0.1";
    const prepare = inWorker(KEEP_REFUSING);
    const { page, problems, close } = await built.open({ at, prepare, reducedMotion: "reduce" });
    await adapterFound(page);
    await page.locator("#train-start").click();
    await expect.poll(() => page.locator("#train-place").innerText(), SLOW).toMatch(/^epoch [2-5] of 5/);
    await lose(page);
    await page.locator('[data-topic="recovering"]').waitFor(SLOW);
    await trainingIs(page, "finished", "failed");
    expect(await page.locator("#train-state").getAttribute("data-state")).toBe("finished");
    expect(problems).toEqual([]);
    await close();
  });

  it("is found again by the sections that compute", async () => {
    const { page, problems, close } = await built.open({ prepare: inWorker(KEEP_DEVICE), reducedMotion: "reduce" });
    await page.locator("#padding-map[data-rows]").waitFor(SLOW);
    await lose(page);
    await choose(page.locator("#padding"), "None (valid)");
    await page.locator("#padding-map[data-rows='6']").waitFor(SLOW);
    expect(problems).toEqual([]);
    await close();
  });
});

describe("a network that is too large for the adapter", () => {
  it("is told of in the library's words, and a smaller one trains", async () => {
    // As of an adapter that binds a megabyte at most.
    const prepare = inWorker(`
      const { get } = Object.getOwnPropertyDescriptor(GPUDevice.prototype, "limits");
      Object.defineProperty(GPUDevice.prototype, "limits", {
        get() {
          const real = get.call(this);
          const few = (_, name) => (name === "maxStorageBufferBindingSize" ? 2 ** 20 : real[name]);
          return new Proxy(real, { get: few });
        },
      })`);
    const at = "?images=256&epochs=1#net=1~conv-8-5-s2-relu~max-2~flatten~dense-2048-relu~sgd-0.1~batch-32";
    const { page, problems, close } = await built.open({ at, prepare, reducedMotion: "reduce" });
    await adapterFound(page);
    await page.locator("#train-start").click();
    await trainingIs(page, "failed");
    const failure = page.locator("#train-failure");
    expect(await failure.getAttribute("data-code")).toBe("limit");
    const said = await failure.innerText();
    expect(said).toContain("This network is too large for the adapter, as WebGPU calls the GPU.");
    expect(said).toContain(`"dense/kernel" needs a buffer of ${4 * 288 * 2048} bytes`);
    await page.locator("[data-box='3']").click();
    await knob(page.locator("#network-panel"), "Units").fill("16");
    await expect.poll(() => page.locator("[data-box='3']").innerText(), SLOW).toContain("4,624");
    await button(page, "Try again").click();
    await trainingIs(page, "finished");
    expect(problems).toEqual([]);
    await close();
  });
});

describe("MNIST that is not there", () => {
  it("is told of, and training begins once it is", async () => {
    const prepare = (page: Page) =>
      page.context().route("**/mnist/*-ubyte", (route) => route.fulfill({ status: 404, body: "not here" }));
    const at = "?layers=small&images=256&epochs=1&batch=32";
    const { page, close } = await built.open({ at, prepare, reducedMotion: "reduce" });
    await adapterFound(page);
    await page.locator("#train-start").click();
    await trainingIs(page, "failed");
    const failure = page.locator("#train-failure");
    expect(await failure.innerText()).toMatch(/MNIST could not be loaded.*is missing: the server answered 404/s);
    await page.context().unrouteAll();
    await button(page, "Try again").click();
    await trainingIs(page, "finished");
    expect(await failure.count()).toBe(0);
    await close();
  });
});

describe("a camera that is refused", () => {
  it("is told of where it would show, with what to do, and can be asked for again", async () => {
    const { page, problems, close } = await built.open({ permissions: [], reducedMotion: "reduce" });
    await choose(page.locator("#convolution"), "Camera");
    const failed = page.locator('#convolution [data-camera="failed"]');
    await failed.waitFor(SLOW);
    expect(await failed.innerText()).toMatch(/The camera is not allowed\. Allow it|No camera was found\. Plug one in/);
    await button(failed, "Try again").click();
    await failed.waitFor(SLOW);
    await choose(page.locator("#convolution"), "Shape");
    await failed.waitFor({ state: "detached" });
    expect(problems).toEqual([]);
    await close();
  });
});
