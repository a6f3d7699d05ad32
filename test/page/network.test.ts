// The network's editor in the built page: what is edited fits or is refused in the library's words, and can be linked.

import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BuiltPage, type OpenOptions, serveBuiltPage } from "../support/built-page.ts";

const ARTICLES = "1~conv-32-5-relu~max-2~conv-64-5-relu~max-2~flatten~dense-1000-relu~sgd-0.01~batch-128";

let built: BuiltPage;
beforeAll(async () => {
  built = await serveBuiltPage();
});
afterAll(() => built?.close());

/** A page whose boxes say what the library says of its layers. */
async function editor(options: OpenOptions = {}) {
  const opened = await built.open(options);
  await opened.page.waitForSelector("[data-box='0'] code:not(:empty)");
  return opened;
}

const box = (page: Page, at: number) => page.locator(`[data-box="${at}"]`);
const words = async (page: Page, at: number) => (await box(page, at).innerText()).split("\n").filter((line) => line);
const titles = (page: Page) => page.locator(".box-name b").allInnerTexts();
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const hash = (page: Page) => page.evaluate(() => location.hash);

describe("the article's network", () => {
  it("is shown with the library's names, shapes and parameters", async () => {
    const { page, problems, close } = await editor();
    expect(await words(page, 2)).toEqual([
      "Convolution",
      "5 × 5, relu",
      "conv2d_1",
      "8 × 8 × 64",
      "51,264",
      "parameters",
    ]);
    expect(await words(page, 6)).toEqual(["Output", "softmax", "dense_1", "10", "10,010", "parameters"]);
    expect(await page.locator("[data-parameters]").innerText()).toBe("1,087,106");
    await box(page, 6).click();
    expect(await page.getByLabel("Units").isDisabled()).toBe(true);
    expect(problems).toEqual([]);
    await close();
  });
});

describe("editing", () => {
  it("changes boxes, code and address, by mouse and by keyboard, and can be undone", async () => {
    const { page, problems, close } = await editor({ at: "#network" });
    const steps = await page.evaluate(() => history.length);
    await page.getByLabel("Filters").fill("16");
    await expect.poll(() => words(page, 0)).toContain("24 × 24 × 16");
    expect(await page.locator(".code code").allInnerTexts()).toEqual([
      expect.stringContaining('layers.Conv2D(16, 5, activation="relu")'),
      expect.stringContaining("filters: 16,"),
    ]);
    await expect.poll(() => hash(page)).toBe(`#network&net=${ARTICLES.replace("conv-32", "conv-16")}`);
    await button(page, "Add after it: Average pooling").click();
    await expect.poll(() => titles(page)).toEqual(expect.arrayContaining(["Average pooling"]));
    expect(await box(page, 1).evaluate((element) => element === document.activeElement)).toBe(true);
    await page.keyboard.press("Shift+ArrowLeft");
    await expect.poll(async () => (await titles(page))[1]).toBe("Average pooling");
    await page.keyboard.press("Delete");
    await expect.poll(async () => (await titles(page))[1]).toBe("Convolution");
    for (let i = 0; i < 4; i++) await page.keyboard.press("Control+z");
    await expect.poll(() => words(page, 0)).toContain("24 × 24 × 32");
    await expect.poll(() => hash(page)).toBe("#network");
    expect(await page.evaluate(() => history.length)).toBe(steps);
    expect(problems).toEqual([]);
    await close();
  });

  it("adds dropout, whose rate is in box, code and address", async () => {
    const { page, problems, close } = await editor({ at: "#net=1~flatten~dense-8-relu~sgd-0.01~batch-8" });
    await box(page, 1).click();
    await button(page, "Add after it: Dropout").click();
    await expect.poll(() => titles(page)).toEqual(["Input", "Flatten", "Dense", "Dropout", "Output"]);
    await page.getByLabel("Rate (share dropped)").fill("0.5");
    await expect.poll(() => words(page, 2)).toEqual(["Dropout", "drops 50%", "dropout", "8", "0", "parameters"]);
    expect(await page.locator(".code code").allInnerTexts()).toEqual([
      expect.stringContaining("layers.Dropout(0.5),"),
      expect.stringContaining("dropout({ rate: 0.5 }),"),
    ]);
    await expect.poll(() => hash(page)).toBe("#net=1~flatten~dense-8-relu~dropout-0.5~sgd-0.01~batch-8");
    expect(problems).toEqual([]);
    await close();
  });

  it("tells of what does not fit at its box, and the code keeps what fitted last", async () => {
    const { page, problems, close } = await editor();
    await box(page, 4).click();
    await button(page, "Remove").click();
    const misfit = page.locator(".misfit");
    await expect
      .poll(() => misfit.innerText())
      .toMatch(/A dense layer of this page wants .* Add a flatten before it\./);
    expect(await page.locator(".box.broken").getAttribute("data-box")).toBe("4");
    expect(await page.locator(".code code").first().innerText()).toContain("layers.Flatten()");
    await button(page, "Undo").click();
    await expect.poll(() => misfit.count()).toBe(0);
    expect(problems).toEqual([]);
    await close();
  });
});

describe("a link", () => {
  const NET = "net=1~conv-4-3-s2-same-tanh~flatten~adam-0.002~batch-16";

  it("restores a network, and sections go on working beside it", async () => {
    const { page, problems, close } = await editor({ at: `#${NET}` });
    expect(await words(page, 0)).toEqual(expect.arrayContaining(["3 × 3, stride 2, padded, tanh", "14 × 14 × 4"]));
    await page.locator('.contents a[href="#convolution"]').click();
    await expect.poll(() => hash(page)).toBe(`#convolution&${NET}`);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await button(page, "Copy link").click();
    await expect.poll(() => page.locator(".toolbar .copy [role=status]").innerText()).toBe("Copied");
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`${built.url}#${NET}`);
    expect(problems).toEqual([]);
    await close();
  });

  it("that cannot be read is told of, and the article's network shown", async () => {
    const { page, problems, close } = await editor({ at: "#net=1~conv-999-3~flatten~sgd-0.01~batch-8" });
    const said = await page.locator('[data-topic="link"]').innerText();
    expect(said).toContain("Layer 1: filters must be a number from 1 to 128, got 999.");
    expect(await page.locator("[data-parameters]").innerText()).toBe("1,087,106");
    expect(problems).toEqual([]);
    await close();
  });
});

describe("copying where the clipboard refuses", () => {
  it("selects the code", async () => {
    const prepare = (page: Page) =>
      page.addInitScript(() => {
        navigator.clipboard.writeText = () => Promise.reject(new Error("refused"));
      });
    const { page, close } = await editor({ prepare });
    await button(page, "Copy").first().click();
    await expect.poll(() => page.locator(".code .copy [role=status]").first().innerText()).toMatch(/^Selected/);
    expect(await page.evaluate(() => String(getSelection()))).toMatch(/^import keras\n/);
    await close();
  });
});

describe("a misfit on a narrow, dark page", () => {
  it("has no violations of axe and does not scroll sideways", async () => {
    const viewport = { width: 360, height: 800 };
    const at = "#net=1~conv-8-28~conv-3-3~flatten~sgd-0.01~batch-8";
    const { page, close } = await editor({ at, viewport, colorScheme: "dark" });
    await box(page, 1).click();
    const { violations } = await new AxeBuilder({ page }).include("#network").analyze();
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    await close();
  });
});
