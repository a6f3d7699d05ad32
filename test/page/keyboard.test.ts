// Everything by keyboard: no test here uses a pointer, nor focuses what Tab does not reach.

import type { Page } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ARROW } from "../../demo/sections/convolution/shape.ts";
import { adapterFound, type BuiltPage, type OpenPage, serveBuiltPage } from "../support/built-page.ts";
import { convolved, SOBEL } from "../support/one-channel.ts";
import { expectCell, SLOW, trainingIs } from "../support/page-parts.ts";
import { sumTolerance } from "../support/tolerances.ts";

let built: BuiltPage;
beforeAll(async () => {
  built = await serveBuiltPage();
});
afterAll(() => built?.close());

async function opened(at = ""): Promise<OpenPage> {
  const opened = await built.open({ at, reducedMotion: "reduce" });
  await adapterFound(opened.page);
  return opened;
}

/** Goes on by Tab until an element is in focus that fits a selector, which must be seen to be so. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 150; presses++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((wanted) => document.activeElement!.matches(wanted), selector)) {
      expect(await outlined(page), `${selector} in focus has an outline`).toBe(true);
      return;
    }
  }
  throw new Error(`Tab does not come to ${selector}.`);
}

/** Whether the element in focus, or what stands for it beside it, is outlined. */
function outlined(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const element = document.activeElement!;
    const around = [element, element.nextElementSibling, element.closest("label")];
    return around.some((each) => each && getComputedStyle(each).outlineStyle !== "none");
  });
}

/** Puts the focus at the start of a section, as its link in the list of contents does. */
async function goTo(page: Page, section: string): Promise<void> {
  await page.keyboard.press("Control+Home");
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await tabTo(page, `.contents a[href="#${section}"]`);
  await page.keyboard.press("Enter");
  await expect.poll(() => page.evaluate(() => location.hash)).toMatch(new RegExp(`^#${section}(&|$)`));
}

async function press(page: Page, key: string, times = 1): Promise<void> {
  for (let i = 0; i < times; i++) await page.keyboard.press(key);
}

const focused = (page: Page) => page.evaluate(() => document.activeElement!.textContent);

describe("by keyboard", () => {
  it("turns knobs, writes a kernel, moves it, and reads the sum", async () => {
    const { page, problems, close } = await opened();
    await goTo(page, "convolution");
    await tabTo(page, "#convolution canvas[aria-label^='Input']");
    await press(page, "ArrowRight", 2);
    await press(page, "ArrowDown");
    const expectSum = (kernel: readonly number[]) => {
      const value = convolved(ARROW, kernel).values[1 * 6 + 2]!;
      return expectCell(page.locator("#convolution-cell"), { row: 1, column: 2, value }, sumTolerance(9, 4));
    };
    await expectSum(SOBEL);
    await tabTo(page, "#convolution-weight-1-1");
    await press(page, "Control+a");
    await page.keyboard.type("3.5");
    await expectSum(SOBEL.with(4, 3.5));
    await tabTo(page, "#convolution input[type=radio]:checked");
    await press(page, "ArrowRight");
    expect(await page.locator("#convolution .kernel").getAttribute("data-size")).toBe("5");
    await goTo(page, "padding");
    await tabTo(page, "#padding input[type=range]");
    await press(page, "ArrowRight");
    expect(await page.locator("#padding-input").getAttribute("data-rows")).toBe("9");
    expect(problems).toEqual([]);
    await close();
  });

  it("opens the network's boxes, turns their knobs, moves and removes a layer", async () => {
    const { page, problems, close } = await opened();
    await goTo(page, "network");
    await tabTo(page, "[data-box='-1']");
    await press(page, "ArrowRight", 2);
    await press(page, "Enter");
    expect(await page.locator("#network-panel h3").innerText()).toContain("Max pooling");
    await tabTo(page, "#network-panel input[type=number]");
    await press(page, "ArrowUp");
    await expect.poll(() => page.locator("[data-box='1']").innerText()).toContain("3 × 3");
    await tabTo(page, "[data-box='2']");
    await press(page, "Shift+ArrowRight");
    await expect.poll(() => page.locator("[data-box='3']").innerText()).toContain("Convolution");
    expect(await focused(page)).toContain("Convolution");
    await press(page, "Delete");
    await expect.poll(() => page.locator("[data-box]").count()).toBe(7);
    await press(page, "Control+z", 3);
    await expect.poll(() => page.locator("[data-parameters]").innerText(), SLOW).toBe("1,087,106");
    expect(problems).toEqual([]);
    await close();
  });

  it("trains, pauses, resumes; draws, reads the answer and selects a feature map", async () => {
    const { page, problems, close } = await opened("?layers=small&images=2048&batch=32&epochs=100");
    await goTo(page, "train");
    await tabTo(page, "#train-start");
    await press(page, "Enter");
    await trainingIs(page, "training");
    await tabTo(page, "#train-pause");
    await press(page, "Space");
    await trainingIs(page, "paused");
    expect(await focused(page)).toBe("Resume");
    await press(page, "Space");
    await trainingIs(page, "training");
    await tabTo(page, "#train-stop");
    await press(page, "Enter");
    await trainingIs(page, "stopped");

    await tabTo(page, "#try .pad-paper");
    await press(page, "ArrowUp", 8);
    await press(page, "Space");
    await press(page, "ArrowDown", 16);
    await press(page, "Space");
    await page.locator("#try-answer").waitFor(SLOW);
    expect(await page.locator("#try-answer").innerText()).toMatch(/^\d$/);
    await tabTo(page, "#try .strip button");
    await press(page, "ArrowRight", 3);
    expect(await page.locator("#try .strip button[aria-pressed=true]").getAttribute("aria-label")).toBe("Map 4 of 8");
    expect(await page.locator("#try .inspect h3").innerText()).toContain("map 4:");
    await tabTo(page, "#try .inspect canvas[tabindex]");
    const before = await page.locator("#try .inspect h3").innerText();
    await press(page, before.includes("column 1 ") ? "ArrowRight" : "ArrowLeft");
    expect(await page.locator("#try .inspect h3").innerText()).not.toBe(before);
    expect(problems).toEqual([]);
    await close();
  });
});
