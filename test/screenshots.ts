// Pictures of every state of the page, by `npm run screenshots`: to be opened and judged. With `--readme`, the README's
// are made of the best of them.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright";
import { type BuiltPage, serveBuiltPage } from "./support/built-page.ts";
import { circle, cross, DIGITS, drawFigure } from "./support/drawing.ts";
import { button, settled } from "./support/page-parts.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const FOLDER = path("../build/screenshots");
const README_FOLDER = path("../docs/images");

const LOOKS = [
  { name: "light", width: 1280, colorScheme: "light" },
  { name: "dark", width: 1280, colorScheme: "dark" },
  { name: "phone", width: 360, colorScheme: "light" },
] as const;

/** Of what is made, as `section-look`: so many pixels from its top are in the README. */
const README: Readonly<Record<string, number>> = {
  "convolution-light": 1150,
  "pooling-dark": 1150,
  "network-light": 1100,
  "train-finished-dark": 1400,
  "try-light": 1550,
  "own-light": 1150,
};
const README_WIDTH = 1000;
const MOST_BYTES = 150_000;
/** On both sides of a section, in pixels: less than the page has. */
const AIR = 16;

/** Half a minute of training on a software adapter, to 95 % of the test images. */
const LINK =
  "?images=8192&epochs=2#net=1~conv-16-5-relu~max-2~conv-32-5-relu~max-2~flatten~dense-64-relu~adam-0.002~batch-64";

async function main(): Promise<void> {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const built = await serveBuiltPage();
  try {
    await sections(built);
    await messages(built);
    if (process.argv.includes("--readme")) await writeReadme(built);
  } finally {
    await built.close();
  }
  console.info(`${made.size} pictures in ${FOLDER}`);
}

const made = new Map<string, Buffer>();

async function sections(built: BuiltPage): Promise<void> {
  const { page } = await built.open({ at: LINK, reducedMotion: "reduce" });
  await settled(page);
  await page.waitForTimeout(1000);
  await inLooks(page, async (look) => {
    await whole(page, `page-${look}`);
    for (const id of ["convolution", "padding", "pooling", "network"]) await shoot(page, id, `${id}-${look}`);
  });
  await page.locator("#train-start").click();
  await page.locator("#mistakes li").first().waitFor({ timeout: 120_000 });
  await inLooks(page, (look) => shoot(page, "train", `train-running-${look}`));
  await page.locator("#train-state[data-state=finished]").waitFor({ timeout: 600_000 });

  await drawFigure(page, page.locator("#try .pad-paper"), DIGITS[3]!);
  await page.locator("#try-answer").waitFor();
  await page.locator("#try .path > li:nth-child(3) .strip button").nth(3).click();
  await ownClasses(page);
  await page.getByLabel("Name", { exact: true }).fill("Reader of digits");
  await button(page, "Keep in this browser").click();
  await page.locator("#keep .kept li").waitFor();
  await inLooks(page, async (look) => {
    await shoot(page, "train", `train-finished-${look}`);
    for (const id of ["try", "own", "keep"]) await shoot(page, id, `${id}-${look}`);
  });
  await page.context().close();
}

async function ownClasses(page: Page): Promise<void> {
  const own = page.locator("#own");
  const pad = own.locator(".pad-paper");
  for (let i = 0; i < 6; i++) {
    for (const [figure, name] of [
      [circle(i), "circle"],
      [cross(i), "cross"],
    ] as const) {
      await drawFigure(page, pad, figure);
      await button(own, `Add to ${name}`).click();
    }
  }
  await page.locator("#own-train").click();
  await page.locator("[data-own=trained]").waitFor({ timeout: 120_000 });
  await drawFigure(page, pad, cross(7));
  await page.locator("#own-answer").waitFor();
}

/** What the page says where something is missing, at the top of it or beside its cause. */
async function messages(built: BuiltPage): Promise<void> {
  const states: Record<
    string,
    { at?: string; code?: string; mnist?: false; after?: (page: Page) => Promise<unknown> }
  > = {
    "no-webgpu": { code: "delete WorkerNavigator.prototype.gpu" },
    "bad-link": { at: "#net=1~conv-999-3~flatten~sgd-0.01~batch-8" },
    "no-mnist": { at: "#train", mnist: false, after: (page) => trainTo(page, "failed") },
    "lost-device": { at: "?hooks&layers=small&images=4096&epochs=9&batch=32&rate=0.1", after: loseDevice },
  };
  for (const [name, { at = "", code, mnist, after }] of Object.entries(states)) {
    const prepare = async (page: Page) => {
      if (mnist === false) await page.context().route("**/mnist/*-ubyte", (route) => route.fulfill({ status: 404 }));
      if (!code) return;
      await page.route("**/assets/worker-*.js", async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: `${code};\n${await response.text()}` });
      });
    };
    const { page } = await built.open({ at, prepare, reducedMotion: "reduce" });
    await page.locator('[data-adapter="ready"], [data-adapter="unsupported"]').waitFor({ timeout: 30_000 });
    await after?.(page);
    await page.waitForTimeout(500);
    await inLooks(page, async (look) => {
      if (mnist === false) await shoot(page, "train", `${name}-${look}`);
      else save(`${name}-${look}`, await page.screenshot());
    });
    await page.context().close();
  }
}

async function trainTo(page: Page, state: string): Promise<void> {
  await page.locator("#train-start").click();
  await page.locator(`#train-state[data-state=${state}]`).waitFor({ timeout: 120_000 });
}

async function loseDevice(page: Page): Promise<void> {
  await trainTo(page, "training");
  await page.waitForTimeout(2000);
  await page.evaluate(() => (globalThis as unknown as { engine: { loseDevice(): Promise<void> } }).engine.loseDevice());
  await page.locator('[data-topic="recovering"]').waitFor({ timeout: 30_000 });
}

async function inLooks(page: Page, run: (look: string) => Promise<void>): Promise<void> {
  for (const { name, width, colorScheme } of LOOKS) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize({ width, height: 900 });
    await page.evaluate(() => scrollTo(0, 0));
    await page.waitForTimeout(300);
    await run(name);
  }
}

async function whole(page: Page, name: string): Promise<void> {
  save(name, await page.screenshot({ fullPage: true }));
}

/** A section with some air around it, out of a picture of all: the list of contents would lie over it. */
async function shoot(page: Page, section: string, name: string): Promise<void> {
  const element = page.locator(`#${section}`);
  await element.scrollIntoViewIfNeeded();
  // What is drawn only where it is seen, is seen.
  for (let y = 0, { height } = (await element.boundingBox())!; y < height; y += 600) {
    await page.mouse.wheel(0, 600);
    await page.waitForTimeout(350);
  }
  await page.evaluate(() => scrollTo(0, 0));
  const { x, y, width, height } = (await element.boundingBox())!;
  save(name, await page.screenshot({ fullPage: true, clip: { x: x - AIR, y: y + 1, width: width + 2 * AIR, height } }));
}

function save(name: string, png: Buffer): void {
  made.set(name, png);
  writeFileSync(join(FOLDER, `${name}.png`), png);
}

/** WebP, by the browser's own encoder. */
async function writeReadme(built: BuiltPage): Promise<void> {
  mkdirSync(README_FOLDER, { recursive: true });
  const { page } = await built.open();
  for (const [name, rows] of Object.entries(README)) {
    const png = made.get(name)!.toString("base64");
    const webp = Buffer.from(await page.evaluate(encode, { png, rows, width: README_WIDTH }), "base64");
    if (webp.length > MOST_BYTES) throw new Error(`${name}.webp has ${webp.length} bytes; ${MOST_BYTES} are the most.`);
    writeFileSync(join(README_FOLDER, `${name}.webp`), webp);
    console.info(`${name}.webp: ${webp.length} bytes`);
  }
}

async function encode({ png, rows, width }: { png: string; rows: number; width: number }): Promise<string> {
  const blobOfPng = await (await fetch(`data:image/png;base64,${png}`)).blob();
  const whole = await createImageBitmap(blobOfPng);
  const image = await createImageBitmap(whole, 0, 0, whole.width, Math.min(rows, whole.height));
  const canvas = new OffscreenCanvas(width, Math.round((image.height * width) / image.width));
  const context = canvas.getContext("2d")!;
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await canvas.convertToBlob({ type: "image/webp", quality: 0.8 });
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

await main();
