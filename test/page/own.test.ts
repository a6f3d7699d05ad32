// A reader's own classes: drawn or from files, learned, told apart, kept.

import type { Page } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adapterFound, type BuiltPage, type OpenPage, serveBuiltPage } from "../support/built-page.ts";
import { circle, cross, drawFigure, type Figure } from "../support/drawing.ts";
import { button, choose, knob, SLOW, settled, steady } from "../support/page-parts.ts";

let built: BuiltPage;
beforeAll(async () => {
  built = await serveBuiltPage();
});
afterAll(() => built?.close());

const own = (page: Page) => page.locator("#own");
const counts = (page: Page) => own(page).locator(".class-count").allInnerTexts();
const answer = (page: Page) => page.locator("#own-answer");

async function opened(): Promise<OpenPage> {
  const opened = await built.open({ at: "?layers=small", reducedMotion: "reduce" });
  await settled(opened.page);
  return opened;
}

/** Draws an example, and puts it into a class. */
async function add(page: Page, figure: Figure, name: string) {
  await drawFigure(page, own(page).locator(".pad-paper"), figure);
  await button(own(page), `Add to ${name}`).click();
}

/** A new drawing, and what the network takes it for, with its probabilities. */
async function read(page: Page, figure: Figure) {
  await button(own(page), "Clear").click();
  await answer(page).waitFor({ state: "detached" });
  await drawFigure(page, own(page).locator(".pad-paper"), figure);
  await answer(page).waitFor(SLOW);
  const shares = await steady(page, () => own(page).locator(".share").allInnerTexts());
  return { name: await answer(page).innerText(), shares };
}

/** As an encoder makes it, of a circle or of a cross, white on black, not square. */
async function picture(
  page: Page,
  shape: "circle" | "cross",
): Promise<{ name: string; mimeType: string; buffer: Buffer }> {
  const bytes = await page.evaluate(async (shape) => {
    const canvas = new OffscreenCanvas(160, 120);
    const context = canvas.getContext("2d")!;
    context.fillRect(0, 0, 160, 120);
    context.strokeStyle = "#fff";
    context.lineWidth = 9;
    context.beginPath();
    if (shape === "circle") context.arc(80, 60, 38, 0, 2 * Math.PI);
    for (const down of shape === "cross" ? [-38, 38] : []) {
      context.moveTo(42, 60 - down);
      context.lineTo(118, 60 + down);
    }
    context.stroke();
    return [...new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer())];
  }, shape);
  return { name: `${shape}.png`, mimeType: "image/png", buffer: Buffer.from(bytes) };
}

describe("two classes that are drawn", () => {
  it("are learned, told apart, and still are when the page is opened again", async () => {
    const { page, problems, close } = await opened();
    expect(await own(page).locator("[role=status]").last().innerText()).toContain("No image yet of “circle”, “cross”.");
    expect(await page.locator("#own-train").isDisabled()).toBe(true);
    for (let i = 0; i < 5; i++) {
      await add(page, circle(i), "circle");
      await add(page, cross(i), "cross");
    }
    expect(await counts(page)).toEqual(["5 images", "5 images"]);
    await page.locator("#own-train").click();
    await page.locator("[data-own=trained]").waitFor(SLOW);
    const before = [await read(page, circle(7)), await read(page, cross(8))];
    expect(before.map(({ name }) => name)).toEqual(["circle", "cross"]);

    await page.reload();
    await page.locator("[data-own=trained]").waitFor(SLOW);
    await settled(page);
    expect(await counts(page)).toEqual(["5 images", "5 images"]);
    expect([await read(page, circle(7)), await read(page, cross(8))]).toEqual(before);

    await button(own(page), "Forget all").click();
    await page.locator("[data-own=untrained]").waitFor();
    expect(await counts(page)).toEqual(["0 images", "0 images"]);
    await page.reload();
    await adapterFound(page);
    expect(await counts(page)).toEqual(["0 images", "0 images"]);
    expect(problems).toEqual([]);
    await close();
  });
});

describe("classes and their images", () => {
  it("are added, renamed and removed, and two of one name are told of", async () => {
    const { page, problems, close } = await opened();
    await button(own(page), "Add a class").click();
    expect(await counts(page)).toHaveLength(3);
    for (const name of ["circle", "cross", "class 3"]) await add(page, circle(1), name);
    await knob(own(page), "Name of class 3").fill("circle");
    await knob(own(page), "Name of class 3").press("Enter");
    const status = own(page).locator(".own-training [role=status]");
    await expect.poll(() => status.innerText()).toBe("Two classes are called “circle”. Rename one.");
    expect(await page.locator("#own-train").isDisabled()).toBe(true);
    await own(page).getByRole("button", { name: "Remove class circle" }).last().click();
    expect(await counts(page)).toEqual(["1 image", "1 image"]);
    expect(await page.locator("#own-train").isEnabled()).toBe(true);
    await button(own(page), "Remove image 1 of cross").click();
    expect(await counts(page)).toEqual(["1 image", "0 images"]);
    expect(problems).toEqual([]);
    await close();
  });
});

describe("image files", () => {
  it("are taken as they are, and what is no image is told of by its name", async () => {
    const { page, problems, close } = await opened();
    await choose(own(page), "Image files");
    const input = (name: string) => own(page).getByLabel(`Images of ${name}`);
    await input("circle").setInputFiles([await picture(page, "circle")]);
    await expect.poll(() => counts(page)).toEqual(["1 image", "0 images"]);
    await input("cross").setInputFiles([
      { name: "letter.png", mimeType: "image/png", buffer: Buffer.from("Dear reader, this is no image.") },
    ]);
    const said = own(page).getByRole("alert");
    await expect
      .poll(() => said.innerText())
      .toBe("“letter.png” is not an image that this browser can read. Use PNG, JPEG or WebP.");
    expect(await counts(page)).toEqual(["1 image", "0 images"]);
    await input("cross").setInputFiles([await picture(page, "cross")]);
    await expect.poll(() => counts(page)).toEqual(["1 image", "1 image"]);
    expect(await said.innerText()).toBe("");
    expect(await inkOf(page, 0)).toBeGreaterThan(40);
    expect(problems).toEqual([]);
    await close();
  });
});

/** Pixels of a class's first thumbnail that differ from its corner's. */
function inkOf(page: Page, of: number): Promise<number> {
  const canvas = own(page).locator(".class-card").nth(of).locator("canvas");
  return canvas.evaluate((element) => {
    const { data } = (element as HTMLCanvasElement).getContext("2d")!.getImageData(0, 0, 28, 28);
    let different = 0;
    for (let i = 0; i < data.length; i += 4) if (Math.abs(data[i]! - data[0]!) > 60) different++;
    return different;
  });
}
