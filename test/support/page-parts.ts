// What the tests of the built page read from it and do to it, again and again.

import type { Locator, Page } from "playwright";
import { expect } from "vitest";
import { compare, type Tolerance } from "./compare.ts";

/** Of what is computed on a busy machine without a GPU, its shaders compiled first. */
export const SLOW = { timeout: 60_000, interval: 50 };

/** An element's number, unrounded. */
export async function numberOf(element: Locator): Promise<number> {
  const text = await element.getAttribute("data-value");
  return text === null ? Number.NaN : Number(text);
}

export interface CellOfMap {
  readonly row: number;
  readonly column: number;
  readonly value: number;
}

/** Waits until an output is of this cell and has this value. */
export async function expectCell(output: Locator, { row, column, value }: CellOfMap, tolerance: Tolerance) {
  const wanted = `row ${row}, column ${column}: ${value}`;
  const got = async () => {
    const [atRow, atColumn] = [await output.getAttribute("data-row"), await output.getAttribute("data-column")];
    const found = await numberOf(output);
    const there = Number(atRow) === row && Number(atColumn) === column;
    return there && compare([found], [value], tolerance).ok ? wanted : `row ${atRow}, column ${atColumn}: ${found}`;
  };
  await expect.poll(got, SLOW).toBe(wanted);
}

/** Moves the pointer into a cell of a grid. */
export async function pointAt(page: Page, grid: Locator, rows: number, columns: number, row: number, column: number) {
  await grid.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await grid.boundingBox())!;
  // From another cell: where a pointer was already, it does not move.
  await page.mouse.move(x + 1, y + 1);
  await page.mouse.move(x + ((column + 0.5) / columns) * width, y + ((row + 0.5) / rows) * height);
}

/** A knob's number field. */
export const knob = (within: Page | Locator, label: string) => within.getByLabel(label, { exact: true });

export const button = (within: Page | Locator, name: string) => within.getByRole("button", { name, exact: true });

/** One of a group in which one can be chosen. */
export async function choose(within: Page | Locator, name: string): Promise<void> {
  await within.getByRole("radio", { name, exact: true }).check({ force: true });
}

/** The state of training, once it is one of these. */
export async function trainingIs(page: Page, ...states: readonly string[]): Promise<void> {
  const state = page.locator("#train-state");
  await expect.poll(() => state.getAttribute("data-state"), { timeout: 120_000, interval: 50 }).toBeOneOf([...states]);
}

/** What `read` gives, once it has given the same for a while: the answer to the last of many questions. */
export async function steady<T>(page: Page, read: () => Promise<T>): Promise<T> {
  for (let [last, tries] = [await read(), 0]; ; tries++) {
    await page.waitForTimeout(400);
    const next = await read();
    if (JSON.stringify(next) === JSON.stringify(last)) return next;
    if (tries === 50) throw new Error(`It does not come to rest: ${JSON.stringify(next)}.`);
    last = next;
  }
}

/** Waits until the first sections have computed, and nothing moves any more: the same pointer then draws the same. */
export async function settled(page: Page): Promise<void> {
  for (const section of ["convolution", "padding", "pooling"]) {
    await page.locator(`#${section}-map[data-rows]`).waitFor({ timeout: 60_000 });
  }
  await steady(page, () => page.evaluate(() => document.documentElement.scrollHeight));
}

export interface Painted {
  /** Of the pixels: two pictures of another sum are different. */
  readonly sum: number;
  readonly colors: number;
}

/** What is on a canvas, wherever it is drawn from. */
export function painted(canvas: Locator): Promise<Painted> {
  return canvas.evaluate((element) => {
    const { width, height } = element as HTMLCanvasElement;
    const context = new OffscreenCanvas(width, height).getContext("2d")!;
    context.drawImage(element as HTMLCanvasElement, 0, 0);
    const pixels = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
    const sum = pixels.reduce((hash, pixel) => (Math.imul(hash, 31) + pixel) | 0, 7);
    return { sum, colors: new Set(pixels).size };
  });
}
