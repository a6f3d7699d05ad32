// A training under its reader's hands: paused, resumed, stopped, begun anew, its learning rate turned.

import type { Page } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adapterFound, type BuiltPage, serveBuiltPage } from "../support/built-page.ts";
import { button, knob, SLOW, trainingIs } from "../support/page-parts.ts";

/** So long that no test sees its end. */
const LONG = "?layers=small&images=4096&epochs=100&batch=32";

let built: BuiltPage;
beforeAll(async () => {
  built = await serveBuiltPage();
});
afterAll(() => built?.close());

const text = (page: Page, id: string) => page.locator(`#${id}`).innerText();
const state = (page: Page) => page.locator("#train-state").getAttribute("data-state");
const loss = async (page: Page) => Number.parseFloat(await text(page, "train-loss"));

/** What is said of the network that reads drawings. */
const LEARNED = /^The network was trained for (\S+) epochs?, and reads \S+% of the test images right\.$/;
const epochsTold = async (page: Page) => Number(LEARNED.exec(await text(page, "try-trained"))![1]);

async function training(at = LONG) {
  const { page, problems, close } = await built.open({ at, reducedMotion: "reduce" });
  await adapterFound(page);
  await page.locator("#train-start").click();
  await trainingIs(page, "training");
  await expect.poll(() => text(page, "train-place"), SLOW).toMatch(/step [1-9]/);
  return {
    page,
    async done() {
      expect(problems).toEqual([]);
      await close();
    },
  };
}

/** Steps of the run that are done. */
async function steps(page: Page): Promise<number> {
  const place = (await text(page, "train-place")).replaceAll(",", "");
  const [, epoch, step] = /^epoch (\d+) of 100 · (?:step (\d+) of 128|reading)/.exec(place)!;
  return (Number(epoch) - 1) * 128 + Number(step ?? 128);
}

/** For as long as some ten steps would take, even on a busy machine. */
const WATCHED_MS = 2500;

describe("a training", () => {
  it("does no step while it is paused, and goes on from there", async () => {
    const { page, done } = await training();
    await page.locator("#train-pause").click();
    await trainingIs(page, "paused");
    const before = await steps(page);
    const figures = await page.locator("#train .facts").innerText();
    await page.waitForTimeout(WATCHED_MS);
    expect(await steps(page)).toBe(before);
    expect(await page.locator("#train .facts").innerText()).toBe(figures);
    expect(await text(page, "train-pause")).toBe("Resume");

    await page.locator("#train-pause").click();
    await trainingIs(page, "training");
    await expect.poll(() => steps(page), SLOW).toBeGreaterThan(before + 10);
    await done();
  });

  it("stops where it is, trains on from there, and begins anew after a reset", async () => {
    const { page, done } = await training(`${LONG}&rate=0.1`);
    await expect.poll(() => loss(page), SLOW).toBeLessThan(1);
    await expect.poll(() => text(page, "try-trained"), SLOW).toMatch(LEARNED);
    await page.locator("#train-stop").click();
    await trainingIs(page, "stopped");
    const reached = await loss(page);
    const learned = await epochsTold(page);
    await page.waitForTimeout(WATCHED_MS);
    expect(await state(page)).toBe("stopped");
    expect(await loss(page)).toBe(reached);

    expect(await text(page, "train-start")).toBe("Train on");
    await page.locator("#train-start").click();
    await trainingIs(page, "training");
    await expect.poll(() => text(page, "train-place"), SLOW).toMatch(/epoch 1 of 100 · step [1-9]\d/);
    expect(await loss(page)).toBeLessThan(reached + 0.5);
    await expect.poll(() => epochsTold(page), SLOW).toBeGreaterThan(learned);

    await page.locator("#train-reset").click();
    await trainingIs(page, "idle");
    expect(await text(page, "train-loss")).toBe("–");
    expect(await text(page, "try-trained")).toBe("The network is untrained, and guesses: train it first.");
    expect(await page.getByRole("img", { name: "Loss by epoch. No figures yet." }).count()).toBe(1);
    expect(await page.locator("#confusion tbody td").allInnerTexts()).toEqual(new Array(100).fill(""));
    await knob(page.locator("#train"), "Learning rate").fill("0.00001");
    await page.locator("#train-start").click();
    await trainingIs(page, "training");
    // Ten digits at random: ln 10, by weights that have not learned.
    await expect.poll(() => loss(page), SLOW).toBeGreaterThan(2.1);
    await done();
  });

  it("takes another learning rate while it runs", async () => {
    const { page, done } = await training(`${LONG}&rate=0.00001`);
    await expect.poll(() => steps(page), SLOW).toBeGreaterThan(60);
    expect(await loss(page)).toBeGreaterThan(2.1);
    await knob(page.locator("#train"), "Learning rate").fill("0.1");
    await expect.poll(() => loss(page), SLOW).toBeLessThan(1);
    expect(await state(page)).toBe("training");
    expect(await page.locator("#train-outdated").count()).toBe(0);
    await done();
  });

  it("keeps its network while another is described, until it is reset", async () => {
    const { page, done } = await training();
    await knob(page.locator("#network"), "Filters").fill("4");
    await expect.poll(() => page.locator("#train-outdated").count(), SLOW).toBe(1);
    await page.locator("#train-reset").click();
    await trainingIs(page, "idle");
    expect(await page.locator("#train-outdated").count()).toBe(0);
    await button(page, "Start training").click();
    await trainingIs(page, "training");
    expect(await page.locator("#train-outdated").count()).toBe(0);
    await expect.poll(() => page.locator("canvas[aria-label^='Kernels of conv2d: 4 squares']").count(), SLOW).toBe(1);
    await done();
  });
});
