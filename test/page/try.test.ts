// What the network makes of a drawing: each number that is shown, against the reference's network with the same weights.

import { readFileSync } from "node:fs";
import type { Locator, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseSafetensors } from "../../src/index.ts";
import { type LayerSpec, layerOutputs } from "../reference/network.ts";
import { type BuiltPage, type OpenPage, serveBuiltPage } from "../support/built-page.ts";
import { DIGITS, drawFigure } from "../support/drawing.ts";
import { button, knob, pointAt, SLOW } from "../support/page-parts.ts";

/** Two convolutions, so that one has many input maps; both poolings; padding and stride; dropout, which lets all pass. */
const LINK =
  "#net=1~conv-4-5-s2-relu~max-2~dropout-0.4~conv-6-3-same-tanh~average-2~flatten~dense-12-relu~dropout-0.3~sgd-0.1~batch-16";
const NETWORK: readonly LayerSpec[] = [
  { layer: "conv2d", filters: 4, kernelSize: 5, strides: 2, activation: "relu" },
  { layer: "maxPooling2d", poolSize: 2 },
  { layer: "conv2d", filters: 6, kernelSize: 3, padding: "same", activation: "tanh" },
  { layer: "averagePooling2d", poolSize: 2 },
  { layer: "flatten" },
  { layer: "dense", units: 12, activation: "relu" },
  { layer: "dense", units: 10, activation: "softmax" },
];

let built: BuiltPage;
let opened: OpenPage;
let page: Page;
/** What each layer of the network puts out for the drawing. */
let outputs: ReturnType<typeof layerOutputs>;

beforeAll(async () => {
  built = await serveBuiltPage();
  opened = await built.open({ at: LINK, reducedMotion: "reduce", prepare: rememberDrawing });
  page = opened.page;
  await drawFigure(page, page.locator("#try .pad-paper"), DIGITS[3]!);
  await page.waitForSelector("#try-answer", SLOW);
  const pixels = Float64Array.from(await page.evaluate(() => [...(globalThis as unknown as Drawn).drawn]));
  outputs = layerOutputs(NETWORK, [28, 28, 1], await weightsOf(page), pixels);
});
afterAll(async () => {
  await opened?.close();
  await built?.close();
});

interface Drawn {
  drawn: Float32Array;
}

/** Keeps what the page gives the engine to look at. */
async function rememberDrawing(page: Page) {
  await page.addInitScript(() => {
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (this: Worker, message: unknown, ...rest: [StructuredSerializeOptions]) {
      const { path, argumentList } = message as { path?: string[]; argumentList?: { value: Float32Array }[] };
      if (path?.[0] === "look") (globalThis as unknown as Drawn).drawn = argumentList![0]!.value;
      return postMessage.call(this, message, ...rest);
    } as Worker["postMessage"];
  });
}

async function downloaded(page: Page): Promise<Buffer> {
  const download = page.waitForEvent("download");
  await button(page, "Download the network").click();
  return readFileSync(await (await download).path());
}

/** As the page itself writes them to a file. */
async function weightsOf(page: Page): Promise<Float64Array[]> {
  const { tensors } = parseSafetensors(await downloaded(page));
  const names = ["conv2d", "conv2d_1", "dense", "dense_1"];
  return names.flatMap((name) =>
    ["kernel", "bias"].map((part) => Float64Array.from(tensors.get(`${name}/${part}`)!.data as Float32Array)),
  );
}

/** A shown number, of as many digits as are shown. */
const shown = (text: string) => Number(text.replace("−", "-"));
const inspected = async () => shown(await page.locator("#try-value").innerText());
/** Half a unit of the last digit shown, and the rounding of sums in float32. */
const DIGITS_SHOWN = { 4: 0.5e-4 + 5e-6, 3: 0.5e-3 + 5e-6 };

const layer = (at: number) => page.locator("#try .path > li").nth(at);
/** Output layers as the path shows them: flattening is not. */
const PATH = [0, 1, 2, 3, 5, 6];

async function pick(at: number, unit: number): Promise<Locator> {
  await layer(at).locator(".strip button").nth(unit).click();
  const inspect = layer(at).locator(".inspect");
  await inspect.waitFor();
  return inspect;
}

/** Points at a cell of the inspected map, and expects the reference's number. */
async function expectPointed(inspect: Locator, at: number, unit: number, row: number, column: number) {
  const { y, shape } = outputs[PATH[at]!]!;
  const [, rows, columns, maps] = shape as [number, number, number, number];
  await pointAt(page, inspect.getByRole("application"), rows, columns, row, column);
  await expect.poll(() => inspect.locator("h3").innerText()).toContain(`row ${row + 1}, column ${column + 1} is`);
  const want = y[(row * columns + column) * maps + unit]!;
  expect(Math.abs((await inspected()) - want)).toBeLessThan(DIGITS_SHOWN[4]);
  return want;
}

describe("a drawing", () => {
  it("gets probabilities that sum to 1, the reference's", async () => {
    const shares = await page.locator("#try .probabilities .share").allInnerTexts();
    const probabilities = shares.map((text) => Number.parseFloat(text) / 100);
    const want = outputs.at(-1)!.y;
    expect(probabilities).toHaveLength(10);
    for (const [i, probability] of probabilities.entries()) {
      expect(Math.abs(probability - want[i]!), `of ${i}`).toBeLessThan(0.5e-3 + 1e-5);
    }
    expect(Math.abs(probabilities.reduce((a, b) => a + b, 0) - 1)).toBeLessThan(10 * 0.5e-3 + 1e-9);
    const best = want.indexOf(Math.max(...want));
    expect(await page.locator("#try-answer").innerText()).toBe(String(best));
  });

  it("goes through all layers, each with its feature maps or neurons", async () => {
    for (const [at, of] of PATH.entries()) {
      const { shape } = outputs[of]!;
      expect(await layer(at).locator("h3").first().innerText()).toContain(shape.slice(1).join(" × "));
      const maps = shape.length === 4 ? shape[3]! : 0;
      expect(await layer(at).locator(".strip button").count()).toBe(maps);
    }
  });
});

describe("the network that answers", () => {
  it("is told to be untrained", async () => {
    const told = page.locator("#try-trained");
    expect(await told.innerText()).toBe("The network is untrained, and guesses: train it first.");
    expect(await told.locator("a").getAttribute("href")).toBe("#train");
  });
});

describe("a feature map", () => {
  it("tells the sum that made a cell: products, other maps, bias, activation", async () => {
    const inspect = await pick(2, 3);
    await expect.poll(() => inspect.locator(".sum").innerText(), SLOW).toContain("Sum of the products");
    const value = await expectPointed(inspect, 2, 3, 4, 2);
    const text = (await inspect.locator(".sum").innerText()).replaceAll("−", "-");
    const number = "(-?[0-9.e-]+)";
    const form = `products ${number} \\+ the other 3 maps ${number} \\+ bias ${number} = ${number}; tanh makes it ${number}`;
    const [products, others, bias, total, made] = new RegExp(form).exec(text)!.slice(1).map(Number);
    expect(Math.abs(products! + others! + bias! - total!)).toBeLessThan(4 * DIGITS_SHOWN[4]);
    expect(Math.abs(Math.tanh(total!) - value)).toBeLessThan(2 * DIGITS_SHOWN[4]);
    expect(made).toBe(await inspected());
    // Another input map is another share of the same sum.
    await knob(inspect, "Input map (1 to 4)").fill("3");
    await expect.poll(() => inspect.locator(".sum").innerText()).not.toBe(text);
    expect(await inspected()).toBe(made);
  });

  it("follows the pointer and the arrow keys, at its border too", async () => {
    const inspect = await pick(0, 2);
    await expectPointed(inspect, 0, 2, 3, 5);
    await inspect.getByRole("application").focus();
    for (const key of ["ArrowRight", "ArrowRight", "ArrowDown"]) await page.keyboard.press(key);
    await expect.poll(() => inspect.locator("h3").innerText()).toContain("row 5, column 8 is");
    const { y } = outputs[0]!;
    expect(Math.abs((await inspected()) - y[(4 * 12 + 7) * 4 + 2]!)).toBeLessThan(DIGITS_SHOWN[4]);
    await expectPointed(inspect, 0, 2, 0, 0);
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowLeft");
    expect(await inspect.locator("h3").innerText()).toContain("row 1, column 1 is");
  });

  it.each([
    [1, "max", Math.max],
    [3, "mean", (...numbers: number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length],
  ] as const)("of pooling %i tells the numbers of its window and their %s", async (at, word, make) => {
    const inspect = await pick(at, 1);
    await expectPointed(inspect, at, 1, 1, 2);
    const text = (await inspect.locator(".sum").innerText()).replaceAll("−", "-");
    const [, numbers, result] = new RegExp(`^${word}\\((.*)\\) = (\\S+)$`).exec(text)!;
    const window = numbers!.split(", ").map(Number);
    expect(window).toHaveLength(4);
    expect(Math.abs(make(...window) - Number(result))).toBeLessThan(2 * DIGITS_SHOWN[3]);
  });
});

describe("a neuron", () => {
  it.each([
    [4, 7],
    [5, 3],
  ])("of layer %i tells its largest products, and what comes of their sum", async (at, unit) => {
    const { y, shape } = outputs[PATH[at]!]!;
    const [, units] = shape as [number, number];
    const grid = layer(at).getByRole("application");
    await pointAt(page, grid, 1, units, 0, unit);
    await page.mouse.down();
    await page.mouse.up();
    const inspect = layer(at).locator(".inspect");
    await expect.poll(() => inspect.locator("h3").innerText()).toContain(`neuron ${unit + 1} of ${units}`);
    expect(Math.abs((await inspected()) - y[unit]!)).toBeLessThan(DIGITS_SHOWN[4]);
    await expect.poll(() => inspect.locator("tbody tr").count(), SLOW).toBe(8);
    for (const row of await inspect.locator("tbody tr").allInnerTexts()) {
      const [, value, weight, product] = row.split(/\s+/).map(shown);
      expect(Math.abs(value! * weight! - product!)).toBeLessThan(3 * DIGITS_SHOWN[4]);
    }
    const [rest, bias, sum] = /others (\S+), bias (\S+): the sum is (-?−?[0-9.]+[0-9])/
      .exec(await inspect.locator(".sum").last().innerText())!
      .slice(1)
      .map(shown);
    const products = (await inspect.locator("tbody td:last-child").allInnerTexts()).map(shown);
    const total = products.reduce((a, b) => a + b, rest! + bias!);
    expect(Math.abs(total - sum!)).toBeLessThan(11 * DIGITS_SHOWN[4]);
  });
});

describe("a file of the network", () => {
  it("brings all of its layers back, dropout with its rate, and is told to be opened", async () => {
    const file = { name: "kept.safetensors", mimeType: "application/octet-stream", buffer: await downloaded(page) };
    const answer = await page.locator("#try .share").allInnerTexts();
    await page.locator("[data-box='3']").click();
    await button(page, "Remove").click();
    await expect.poll(() => page.evaluate(() => location.hash), SLOW).not.toBe(LINK);
    await page.getByLabel("Open a file").setInputFiles([file]);
    await expect.poll(() => page.locator("#keep-done").innerText(), SLOW).toBe("“kept.safetensors” is open.");
    await expect.poll(() => page.evaluate(() => location.hash), SLOW).toBe(LINK);
    const told = () => page.locator("#try-trained").innerText();
    await expect.poll(told, SLOW).toMatch(/^The network was opened as it was kept\./);
    await expect.poll(() => page.locator("#try .share").allInnerTexts(), SLOW).toEqual(answer);
  });
});

describe("the console", () => {
  it("stays clean through all of this", () => {
    expect(opened.problems).toEqual([]);
  });
});
