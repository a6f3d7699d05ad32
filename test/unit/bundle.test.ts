import { expect, it, vi } from "vitest";
import { buildLibrary, bundleOf } from "../../bench/bundle.ts";

/** What a page may load for the article's example, compressed: the project's stated budget. */
const MOST_BYTES = 50_000;

it("the article's example loads no more than it may, and no layer that it does not use", async () => {
  // The build reads the tests' configuration, which would look for a browser.
  vi.stubEnv("VITEST", undefined);
  await buildLibrary();
  const article = await bundleOf("featuremap", "article");
  const both = await bundleOf("featuremap", "second");
  expect(article.gzipBytes).toBeLessThanOrEqual(MOST_BYTES);
  expect(article.gzipBytes).toBeGreaterThan(MOST_BYTES / 2);
  expect(both.bytes - article.bytes).toBeGreaterThan(1000);
}, 120_000);
