// Programs of docs/guide, run as they stand there. Their types are checked in test/docs.test.ts.

import { afterEach, expect, it, vi } from "vitest";
import { printedBy } from "../cli/guide-code.ts";

const texts = import.meta.glob<string>("../docs/guide/*.md", { query: "?raw", import: "default", eager: true });
const programs = import.meta.glob("../docs/guide/*.md");
const runnable = Object.keys(texts).filter((path) => /^```ts$/m.test(texts[path]!));

/** Lines that `fit` prints of each epoch. */
const PROGRESS = /^(Epoch \d|\d+\/\d+ - )/;

afterEach(() => vi.restoreAllMocks());

it("the guide has programs", () => {
  expect(runnable.length).toBeGreaterThan(8);
});

it.each(runnable)("the program of %s runs and prints what the page says", async (path) => {
  const printed: string[] = [];
  vi.spyOn(console, "log").mockImplementation((...values) => {
    const line = values.map(shown).join(" ");
    if (!PROGRESS.test(line)) printed.push(line);
  });
  await programs[path]!();
  expect(printed).toEqual(printedBy(texts[path]!));
});

/** A value as the pages write it: `[2, 3]`, `{ epoch: 1 }`. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(shown).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  return `{ ${Object.entries(value)
    .map(([name, each]) => `${name}: ${shown(each)}`)
    .join(", ")} }`;
}
