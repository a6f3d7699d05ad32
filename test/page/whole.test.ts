// The page as a whole: who may read it, how wide it is, how much it weighs.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { AxeBuilder } from "@axe-core/playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adapterFound, type BuiltPage, serveBuiltPage } from "../support/built-page.ts";

let built: BuiltPage;
beforeAll(async () => {
  built = await serveBuiltPage();
});
afterAll(() => built?.close());

describe.each(["light", "dark"] as const)("the %s page", (colorScheme) => {
  it("has no violations that axe finds", async () => {
    const { page, problems, close } = await built.open({ colorScheme, reducedMotion: "reduce" });
    await adapterFound(page);
    const { violations } = await new AxeBuilder({ page }).analyze();
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
    expect(found).toEqual([]);
    expect(problems).toEqual([]);
    await close();
  });
});

describe("the page", () => {
  it.each([360, 768, 1280, 1920])("is no wider than a window of %i pixels", async (width) => {
    const { page, close } = await built.open({ viewport: { width, height: 800 } });
    await adapterFound(page);
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await close();
  });

  it("shows on a phone that its list of sections goes on, by a fade that a link in focus is free of", async () => {
    const { page, close } = await built.open({ viewport: { width: 360, height: 800 } });
    await adapterFound(page);
    const list = page.locator(".contents ol");
    const read = () =>
      list.evaluate((element) => {
        const { scrollWidth, clientWidth } = element;
        return { hidden: scrollWidth - clientWidth, mask: getComputedStyle(element).maskImage };
      });
    const { hidden, mask } = await read();
    expect(hidden).toBeGreaterThan(0);
    expect(mask).toMatch(/^linear-gradient\(to right, .*rgba\(0, 0, 0, 0\)\)$/);
    // Its end is clear of the fade.
    await list.evaluate((element) => element.scrollTo({ left: element.scrollWidth, behavior: "instant" }));
    const { x, width } = (await list.locator("a").last().boundingBox())!;
    const fade = await list.evaluate((element) => Number.parseFloat(getComputedStyle(element).paddingRight));
    expect(x + width).toBeCloseTo(360 - fade, 0);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement!.matches(".contents a"))).toBe(true);
    expect((await read()).mask).toBe("none");
    await close();
  });

  it("goes to its first section by the keyboard", async () => {
    const { page, close } = await built.open();
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toMatch(/skip/i);
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
    await close();
  });

  // 150 KB until the page checked all that a browser had kept, and trained through lost devices. 170 until the library had stages,
  // named ports, and more layers, metrics and gradient transforms: the page opens saved models, so it has all of them. 195 until processors had
  // kernels of their own for depthwise convolutions, and files had regularizers, constraints and wrapped optimizers.
  it("weighs at most 198 KB of script and style, gzipped, workers and lazy parts included", () => {
    const files = readdirSync(built.folder, { recursive: true, encoding: "utf8" }).filter((file) =>
      /\.(js|css|html)$/.test(file),
    );
    const bytes = files.map((file) => gzipSync(readFileSync(join(built.folder, file)), { level: 9 }).length);
    const sum = bytes.reduce((a, b) => a + b, 0);
    console.info(`The page's script and style: ${sum} bytes gzip in ${files.length} files.`);
    expect(files.length).toBeGreaterThan(3);
    expect(sum).toBeLessThanOrEqual(198_000);
  });
});
