// The page in a minute: built, opened, it computes, trains and reads. All else of it is under test/page.

import type { Page } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ARROW } from "../../demo/sections/convolution/shape.ts";
import { type BuiltPage, type OpenPage, serveBuiltPage } from "../support/built-page.ts";
import { DIGITS, drawFigure } from "../support/drawing.ts";
import { convolved, SOBEL } from "../support/one-channel.ts";
import { button, expectCell, knob, pointAt, SLOW, trainingIs } from "../support/page-parts.ts";
import { sumTolerance } from "../support/tolerances.ts";

let built: BuiltPage;
let opened: OpenPage;
let page: Page;
beforeAll(async () => {
  built = await serveBuiltPage();
  opened = await built.open({ at: "?layers=small&images=512&epochs=3&batch=32&rate=0.1", reducedMotion: "reduce" });
  page = opened.page;
});
afterAll(async () => {
  await opened?.close();
  await built?.close();
});

describe("the demo page", () => {
  it("computes a convolution, and that of a kernel that was changed", async () => {
    const map = page.locator("#convolution-map");
    await expect.poll(() => map.getAttribute("data-rows"), SLOW).toBe("6");
    await pointAt(page, map.getByRole("application"), 6, 6, 2, 1);
    for (const weight of [0, -7.5]) {
      await knob(page, "Weight in row 2, column 2").fill(String(weight));
      const value = convolved(ARROW, SOBEL.with(4, weight)).values[2 * 6 + 1]!;
      await expectCell(page.locator("#convolution-cell"), { row: 2, column: 1, value }, sumTolerance(9, 8));
    }
  });

  it("trains a small network, and tells how well it does", async () => {
    await page.locator("#train-start").click();
    await trainingIs(page, "finished", "failed");
    expect(await page.locator("#train-state").getAttribute("data-state")).toBe("finished");
    const [loss, accuracy] = [page.locator("#train-loss"), page.locator("#validation-accuracy")];
    // Ten digits at random: a loss of ln 10, and one in ten.
    expect(Number.parseFloat(await loss.innerText())).toBeLessThan(1.8);
    expect(Number.parseFloat(await accuracy.innerText())).toBeGreaterThan(30);
    const counts = await page.locator("#confusion tbody td").allInnerTexts();
    expect(counts.map(Number).reduce((a, b) => a + b, 0)).toBe(built.software ? 128 : 10_000);
  });

  it("reads a drawing, and clears it", async () => {
    await drawFigure(page, page.locator("#try .pad-paper"), DIGITS[0]!);
    await page.locator("#try-answer").waitFor(SLOW);
    const shares = await page.locator("#try .share").allInnerTexts();
    expect(shares.map(Number.parseFloat).reduce((a, b) => a + b, 0)).toBeCloseTo(100, 0);
    await button(page.locator("#try"), "Clear").click();
    await page.locator("#try-answer").waitFor({ state: "detached" });
  });

  it("has nothing to complain of", () => {
    expect(opened.problems).toEqual([]);
  });
});
