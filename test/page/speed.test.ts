// How soon the page can be used, and how long it ever keeps a reader waiting. Figures are printed; what is asserted
// holds on a busy machine without a GPU, too.

import type { Page } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adapterFound, type BuiltPage, serveBuiltPage } from "../support/built-page.ts";
import { DIGITS, drawFigure } from "../support/drawing.ts";
import { SLOW, settled, trainingIs } from "../support/page-parts.ts";

/** What the page aims at, on a machine that has nothing else to do. */
const AIM = { usable: 1000, script: 100 };
/** Two cores, one of them busy with the shaders, the other perhaps with another program. */
const BUSY = 4;

let built: BuiltPage;
beforeAll(async () => {
  built = await serveBuiltPage();
});
afterAll(() => built?.close());

interface Watched {
  readonly longTasks: { readonly start: number; readonly ms: number }[];
}

/** Notes each task of the main thread of 50 ms or more, from the start. */
const watchTasks = (page: Page) =>
  page.addInitScript(() => {
    const watched: Watched = { longTasks: [] };
    Object.assign(globalThis, { watched });
    new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries()) {
        watched.longTasks.push({ start: Math.round(startTime), ms: Math.round(duration) });
      }
    }).observe({ type: "longtask", buffered: true });
  });

/** Those since the last call. */
const longTasks = (page: Page) =>
  page.evaluate(() => (globalThis as unknown as { watched: Watched }).watched.longTasks.splice(0));

const said = (tasks: Watched["longTasks"]) =>
  tasks.length === 0 ? "none" : tasks.map(({ ms }) => `${ms} ms`).join(", ");

describe("the page", () => {
  it("can be used soon after it is opened", async () => {
    const times: number[] = [];
    for (let visit = 0; visit < 3; visit++) {
      const { page, close } = await built.open({ reducedMotion: "reduce" });
      // The kernel's weights can be changed, and the map of them is there.
      await page.locator("#convolution-weight-0-0").waitFor();
      const usable = await page.evaluate(() => performance.now());
      await page.locator("#convolution-map[data-rows]").waitFor(SLOW);
      const computed = await page.evaluate(() => performance.now());
      console.info(
        `First section: usable after ${usable.toFixed(0)} ms, its map computed after ${computed.toFixed(0)} ms.`,
      );
      times.push(usable);
      await close();
    }
    expect(Math.min(...times)).toBeLessThan(BUSY * AIM.usable);
  });

  it("never keeps the main thread for long: not as it loads, trains, or reads a drawing", async () => {
    const at =
      "?images=2048&epochs=1&batch=64#net=1~conv-32-5-relu~max-2~conv-32-5-relu~max-2~flatten~dense-64-relu~sgd-0.05~batch-64";
    const { page, problems, close } = await built.open({ at, prepare: watchTasks });
    await adapterFound(page);
    await settled(page);
    const loading = await longTasks(page);
    await page.locator("#train-start").click();
    await trainingIs(page, "training");
    await page.locator("#train .inside canvas").first().scrollIntoViewIfNeeded();
    await trainingIs(page, "finished");
    const training = await longTasks(page);
    await drawFigure(page, page.locator("#try .pad-paper"), DIGITS[2]!);
    await page.locator("#try-answer").waitFor(SLOW);
    await page.waitForTimeout(1000);
    const reading = await longTasks(page);
    console.info(
      `Tasks of 50 ms and more: loading ${said(loading)}; training ${said(training)}; reading ${said(reading)}.`,
    );
    for (const { ms } of [...loading, ...training, ...reading]) expect(ms).toBeLessThan(BUSY * AIM.script);
    expect(problems).toEqual([]);
    await close();
  });
});
