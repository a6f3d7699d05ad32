// The page in its states, as axe sees them and as wide as they are: training, trained, with a drawing, with messages.

import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BuiltPage, serveBuiltPage } from "../support/built-page.ts";
import { circle, cross, DIGITS, drawFigure } from "../support/drawing.ts";
import { button, choose, knob, SLOW, settled, trainingIs } from "../support/page-parts.ts";

let built: BuiltPage;
beforeAll(async () => {
  built = await serveBuiltPage();
});
afterAll(() => built?.close());

/** No violation in these parts, in light or dark, and nothing wider than the window. `whole.test.ts` has all parts. */
async function sound(page: Page, state: string, parts: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const { violations } = await new AxeBuilder({ page }).include(parts).analyze();
    const found = violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(" | ")}`,
    );
    expect(found, `${state}, ${colorScheme}`).toEqual([]);
  }
  const [width, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  expect(width, `width while ${state}`).toBeLessThanOrEqual(seen!);
}

describe.each([360, 1280])("at a width of %i", (width) => {
  it("is sound while it trains, paused, trained, with a drawing looked into, and with messages", async () => {
    const at = "?layers=small&images=2048&epochs=40&batch=32&rate=0.1#net=no-network";
    const { page, problems, close } = await built.open({
      at,
      viewport: { width, height: 800 },
      reducedMotion: "reduce",
    });
    await settled(page);
    await sound(page, "telling of a link that cannot be read", ".notices");
    await page.locator("#train-start").click();
    await trainingIs(page, "training");
    await page.locator("#mistakes li").first().waitFor(SLOW);
    await sound(page, "training", "#train");
    await page.locator("#train-stop").click();
    await trainingIs(page, "stopped");
    await page.locator(".epochs summary").click();

    await drawFigure(page, page.locator("#try .pad-paper"), DIGITS[8]!);
    await page.locator("#try-answer").waitFor(SLOW);
    for (const unit of ["#try .path > li:nth-child(2) .strip button", "#try .path > li:nth-child(1) .strip button"]) {
      await page.locator(unit).nth(3).click();
    }
    await page.locator("#try .inspect .sum").first().waitFor(SLOW);
    await sound(page, "a drawing is looked into", "#try, .epochs");

    await page.locator("[data-box='1']").click();
    await knob(page.locator("#network-panel"), "Pool size").fill("28");
    await page.locator(".misfit").waitFor(SLOW);
    await choose(page.locator("#convolution"), "Camera");
    await page.locator('[data-camera="failed"]').waitFor(SLOW);
    await page
      .getByLabel("Open a file")
      .setInputFiles([{ name: "letter.safetensors", mimeType: "text/plain", buffer: Buffer.from("Dear reader") }]);
    await page.locator('[data-topic="keep"]').waitFor(SLOW);
    await sound(page, "telling of a misfit, a camera and a file", ".notices, #network, #convolution");
    expect(problems).toEqual([]);
    await close();
  });

  it("is sound with classes of one's own that were learned", async () => {
    const at = "?layers=small";
    const { page, problems, close } = await built.open({
      at,
      viewport: { width, height: 800 },
      reducedMotion: "reduce",
    });
    await settled(page);
    const own = page.locator("#own");
    for (const [figure, name] of [
      [circle(0), "circle"],
      [cross(0), "cross"],
      [circle(1), "circle"],
    ] as const) {
      await drawFigure(page, own.locator(".pad-paper"), figure);
      await button(own, `Add to ${name}`).click();
    }
    await page.locator("#own-train").click();
    await page.locator("[data-own=trained]").waitFor(SLOW);
    await drawFigure(page, own.locator(".pad-paper"), cross(2));
    await page.locator("#own-answer").waitFor(SLOW);
    await sound(page, "one's own classes are read", "#own");
    expect(problems).toEqual([]);
    await close();
  });
});
