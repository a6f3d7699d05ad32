// The numbers of the sections that explain, against plain loops in float64 and against the library.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ARROW } from "../../demo/sections/convolution/shape.ts";
import { ringOf } from "../../demo/sections/padding/ring.ts";
import { NUMBERS } from "../../demo/sections/pooling/numbers.ts";
import { conv2d, dense, flatten, maxPooling2d as maxPooling, sequential } from "../../src/index.ts";
import * as reference from "../reference/conv2d.ts";
import { averagePooling2d, maxPooling2d } from "../reference/pooling2d.ts";
import { type BuiltPage, type OpenOptions, serveBuiltPage } from "../support/built-page.ts";
import { convolved, type OneChannel, SOBEL } from "../support/one-channel.ts";
import { button, choose, expectCell, knob, numberOf, pointAt, SLOW } from "../support/page-parts.ts";
import { sumTolerance, tolerances } from "../support/tolerances.ts";

let built: BuiltPage;
beforeAll(async () => {
  built = await serveBuiltPage();
});
afterAll(() => built?.close());

/** Without motion, so that the kernel stays where it is put. */
async function opened(options: OpenOptions = {}) {
  const { page, problems, close } = await built.open({ reducedMotion: "reduce", ...options });
  return {
    page,
    async done() {
      expect(problems).toEqual([]);
      await close();
    },
  };
}

/** Some cells of a map: its corners, and some within. */
function cellsOf({ rows, columns, values }: OneChannel) {
  const places = [
    [0, 0],
    [0, columns - 1],
    [Math.floor(rows / 2), Math.floor(columns / 3)],
    [rows - 1, Math.floor(columns / 2)],
    [rows - 1, columns - 1],
  ] as const;
  return places.map(([row, column]) => ({ row, column, value: values[row * columns + column]! }));
}

/** Points at cells of a map, and expects each to be what it is in `map`. */
async function expectMap(page: Page, name: string, grid: RegExp, map: OneChannel, tolerance: typeof tolerances.exact) {
  const figure = page.locator(`#${name}-map`);
  await expect.poll(() => figure.getAttribute("data-rows"), SLOW).toBe(String(map.rows));
  expect(await figure.getAttribute("data-columns")).toBe(String(map.columns));
  for (const cell of cellsOf(map)) {
    await pointAt(page, figure.getByRole("application", { name: grid }), map.rows, map.columns, cell.row, cell.column);
    await expectCell(page.locator(`#${name}-cell`), cell, tolerance);
  }
}

describe("convolution", () => {
  const MAP = /^Feature map/;
  const section = (page: Page) => page.locator("#convolution");
  const weights = (page: Page) =>
    page
      .locator("#convolution .kernel input")
      .evaluateAll((all) => all.map((one) => (one as HTMLInputElement).valueAsNumber));
  const digit = (which: number): OneChannel => {
    const bytes = readFileSync(join(built.folder, "mnist/sample-digits")).subarray(which * 784, (which + 1) * 784);
    return { rows: 28, columns: 28, values: Float64Array.from(bytes, (byte) => byte / 255) };
  };

  it("shows sums of products: of known kernels, of one's own, of both sizes, on a shape and on a digit", async () => {
    const { page, done } = await opened();
    await expectMap(page, "convolution", MAP, convolved(ARROW, SOBEL), sumTolerance(9, 4));

    await knob(page, "Weight in row 1, column 3").fill("-2.5");
    const own = [-1, 0, -2.5, -2, 0, 2, -1, 0, 1];
    expect(await weights(page)).toEqual(own);
    await expectMap(page, "convolution", MAP, convolved(ARROW, own), sumTolerance(9, 4));

    await choose(section(page), "5 × 5");
    const framed = Array.from({ length: 25 }, (_, i) => {
      const [row, column] = [Math.floor(i / 5) - 1, (i % 5) - 1];
      return row < 0 || row > 2 || column < 0 || column > 2 ? 0 : own[row * 3 + column]!;
    });
    await expectMap(page, "convolution", MAP, convolved(ARROW, framed), sumTolerance(25, 4));

    await choose(section(page), "Blur");
    await choose(section(page), "Digit");
    await expectMap(page, "convolution", MAP, convolved(digit(3), new Array(25).fill(1 / 25)), sumTolerance(25, 1));
    await done();
  });

  it("writes the products out, and their sum is the cell that the shader computed", async () => {
    const { page, done } = await opened();
    const map = convolved(ARROW, SOBEL);
    const place = cellsOf(map)[2]!;
    await expect.poll(() => page.locator("#convolution-map").getAttribute("data-rows"), SLOW).toBe("6");
    await pointAt(page, page.getByRole("application", { name: MAP }).first(), 6, 6, place.row, place.column);
    await expectCell(page.locator("#convolution-cell"), place, sumTolerance(9, 4));
    const products = await page
      .locator("#convolution [data-product]")
      .evaluateAll((all) => all.map((one) => Number((one as HTMLElement).dataset.product)));
    expect(products).toHaveLength(9);
    const sum = await numberOf(page.locator("#convolution-sum"));
    expect(products.reduce((a, b) => a + b, 0)).toBe(sum);
    expect(sum).toBeCloseTo(place.value, 5);
    await done();
  });

  it("plays by itself to the last place, and stops there", async () => {
    const { page, done } = await opened();
    await expect.poll(() => page.locator("#convolution-map").getAttribute("data-rows"), SLOW).toBe("6");
    await choose(section(page).getByRole("group", { name: "Speed of the kernel" }), "Fast");
    await button(page, "Play the kernel").click();
    await expect.poll(() => section(page).locator(".player-place").textContent(), SLOW).toBe("Place 36 of 36");
    await expectCell(page.locator("#convolution-cell"), cellsOf(convolved(ARROW, SOBEL))[4]!, sumTolerance(9, 4));
    await expect.poll(() => button(page, "Play the kernel").count()).toBe(1);
    await done();
  });
});

describe("padding and stride", () => {
  const CASES = [
    { n: 8, k: 3, s: 1, padding: "same" },
    { n: 8, k: 3, s: 1, padding: "valid" },
    { n: 11, k: 4, s: 3, padding: "same" },
    { n: 12, k: 5, s: 2, padding: "valid" },
  ] as const;

  async function turn(page: Page, { n, k, s, padding }: { n: number; k: number; s: number; padding: string }) {
    const section = page.locator("#padding");
    await choose(section, padding === "same" ? "Zeros (same)" : "None (valid)");
    await knob(section, "Input size n").fill(String(n));
    await knob(section, "Kernel size k").fill(String(k));
    await knob(section, "Stride s").fill(String(s));
  }

  it("computes the size by the formula, and the map has that size and the reference's values", async () => {
    const { page, done } = await opened();
    for (const one of CASES) {
      const { n, k, s, padding } = one;
      await turn(page, one);
      const sizes = { inH: n, inW: n, kernelSize: [k, k], strides: [s, s], padding } as const;
      const { outH, padTop } = reference.convGeometry(sizes);
      const total = padding === "same" ? Math.max((outH - 1) * s + k - n, 0) : 0;
      const zeros = total === 2 * padTop ? `2·${padTop}` : `(${padTop} + ${total - padTop})`;
      await expect.poll(() => numberOf(page.locator("#padding-size"))).toBe(outH);
      const formula = (await page.locator("#padding-formula").innerText()).replace(/\s+/g, " ");
      expect(formula).toContain(`= ⌊(${n} + ${zeros} − ${k}) / ${s}⌋ + 1 = ${outH}`);
      const map = convolved(ringOf(n), new Array(k * k).fill(1 / (k * k)), s, padding);
      await expectMap(page, "padding", /^Feature map/, map, sumTolerance(k * k, 1));
    }
    await done();
  });

  it("says in the library's words that a kernel does not fit", async () => {
    const { page, done } = await opened();
    await turn(page, { n: 5, k: 7, s: 1, padding: "valid" });
    const layer = conv2d({ filters: 1, kernelSize: [7, 7], useBias: false, inputShape: [5, 5, 1] });
    const said = thrownBy(() => sequential([layer]));
    await expect.poll(() => page.locator("#padding-map [role=alert]").innerText(), SLOW).toBe(said);
    expect(await page.locator("#padding .sizes").innerText()).toContain("there is no place for it");
    await done();
  });
});

describe("pooling", () => {
  const MAP = /^Pooled/;
  const shape = [1, 8, 8, 1] as const;

  async function turn(page: Page, kind: string, size: number, stride: number) {
    const section = page.locator("#pooling");
    await choose(section, kind);
    await knob(section, "Window size").fill(String(size));
    await knob(section, "Stride").fill(String(stride));
  }

  it.each([
    { size: 2, stride: 2 },
    { size: 3, stride: 2 },
    { size: 2, stride: 1 },
  ])("keeps the greatest numbers of windows of $size at stride $stride, and tells how many it drops", async (one) => {
    const { page, done } = await opened();
    const { size, stride } = one;
    await turn(page, "Max", size, stride);
    const options = { poolSize: [size, size], strides: [stride, stride], padding: "valid" } as const;
    const { y, argmax, shape: pooled } = maxPooling2d(NUMBERS.values, shape, options);
    await expectMap(page, "pooling", MAP, { rows: pooled[1], columns: pooled[2], values: y }, tolerances.exact);
    const share = 1 - new Set(argmax).size / 64;
    expect(await numberOf(page.locator("#pooling-discarded"))).toBeCloseTo(share, 10);
    if (size === 2 && stride === 2) expect(await page.locator("#pooling-discarded").innerText()).toBe("75.0%");
    await done();
  });

  it("means windows, and pools the feature map of a digit", async () => {
    const { page, done } = await opened();
    await turn(page, "Average", 2, 2);
    const options = { poolSize: [2, 2], strides: [2, 2], padding: "valid" } as const;
    const { y } = averagePooling2d(NUMBERS.values, shape, options);
    await expectMap(page, "pooling", MAP, { rows: 4, columns: 4, values: y }, tolerances.averagePooling);
    expect(await page.locator("#pooling-discarded").innerText()).toBe("75.0%");

    await choose(page.locator("#pooling"), "Feature map");
    const bytes = readFileSync(join(built.folder, "mnist/sample-digits")).subarray(7 * 784, 8 * 784);
    const seven = { rows: 28, columns: 28, values: Float64Array.from(bytes, (byte) => byte / 255) };
    const edges = convolved(seven, SOBEL);
    const pooled = averagePooling2d(edges.values, [1, 26, 26, 1], options);
    await expectMap(page, "pooling", MAP, { rows: 13, columns: 13, values: pooled.y }, sumTolerance(36, 2));
    await done();
  });
});

describe("the network", () => {
  const article = (kernelSize = 5) =>
    sequential([
      conv2d({ filters: 32, kernelSize: [5, 5], activation: "relu", inputShape: [28, 28, 1] }),
      maxPooling({ poolSize: [2, 2] }),
      conv2d({ filters: 64, kernelSize: [kernelSize, kernelSize], activation: "relu" }),
      maxPooling({ poolSize: [2, 2] }),
      flatten(),
      dense({ units: 1000, activation: "relu" }),
      dense({ units: 10, activation: "softmax" }),
    ]);

  it("has the library's shapes and parameters in its boxes", async () => {
    const { page, done } = await opened();
    const { layers } = article();
    await expect.poll(() => page.locator("[data-box='6'] .box-figures").innerText(), SLOW).toMatch(/10,010/);
    for (const [i, { outputShape, parameters }] of layers.entries()) {
      const [shape, count] = (await page.locator(`[data-box="${i}"] .box-figures`).innerText()).split("\n");
      const english = (number: number) => number.toLocaleString("en-US");
      expect({ i, shape, count }).toEqual({
        i,
        shape: outputShape.map(english).join(" × "),
        count: english(parameters),
      });
    }
    const total = layers.reduce((sum, { parameters }) => sum + parameters, 0);
    expect(total).toBe(1_087_106);
    expect(await page.locator("[data-parameters]").innerText()).toBe("1,087,106");
    await done();
  });

  it("says in the library's words that a kernel is too large, and takes it back", async () => {
    const { page, done } = await opened();
    await expect.poll(() => page.locator("[data-parameters]").innerText(), SLOW).toBe("1,087,106");
    await page.locator("[data-box='2']").click();
    await knob(page.locator("#network-panel"), "Kernel size").fill("13");
    await expect.poll(() => page.locator(".misfit").innerText(), SLOW).toBe(thrownBy(() => article(13)));
    expect(await page.locator("[data-parameters]").innerText()).toBe("?");
    await button(page, "Undo").click();
    await expect.poll(() => page.locator("[data-parameters]").innerText(), SLOW).toBe("1,087,106");
    expect(await page.locator(".misfit").count()).toBe(0);
    await done();
  });
});

function thrownBy(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("Nothing was thrown.");
}
