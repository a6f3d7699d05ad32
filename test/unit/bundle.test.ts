import { expect, it, vi } from "vitest";
import { buildLibrary, bundleOf } from "../../bench/bundle.ts";

/**
 * What a page may load for the article's example, compressed. It was 50,000 until every call checked what it is given, read its
 * arrays at once, watched the GPU for errors and carried NaN through its kernels: 6 KB in all, in many small parts.
 */
const MOST_BYTES = 54_500;

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
