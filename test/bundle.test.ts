import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Rolldown } from "vite";
import { expect, it, vi } from "vitest";
import { buildLibrary, bundleOf, publishedLibrary } from "../bench/bundle.ts";

/**
 * What a page may load for the article's example, compressed. It was 50,000 until every call checked what it is given, read its
 * arrays at once, watched the GPU for errors and carried NaN through its kernels: 8 KB in all, in many small parts. Named inputs of ops,
 * columns by name, models of several inputs and outputs, stages, checks of what an app's layers, losses and metrics return, and one
 * tokenizer for WGSL took 10 more. Weights of samples, terms of the loss, outputs without a loss, layers of several outputs, and what
 * an optimizer keeps for itself took 3. Hooks of batches, evaluations and predictions, and calls on one batch took 1,
 * and so did lists of typed arrays, `validationSplit` and the doors for streams and weights of classes. Dilation and groups took 1:
 * they are options of conv2d, whose kernels have them whether an app gives them or not. Binary accuracy and metrics of several figures took
 * 100 bytes, and so did weight decay and learning rates that may be schedules. The doors for augmentations of batches and
 * for data sets in batches took 100.
 */
const MOST_BYTES = 73_900;

const LIBRARY = fileURLToPath(new URL("../build/bench/library", import.meta.url));

const INDEX = fileURLToPath(new URL("../src/index.ts", import.meta.url));

it("the article's example loads no more than it may, and no layer that it does not use", async () => {
  // The build reads the tests' configuration, which would look for a browser.
  vi.stubEnv("VITEST", undefined);
  await buildLibrary();
  const article = await bundleOf("featuremap", "article");
  const both = await bundleOf("featuremap", "second");
  expect(article.gzipBytes).toBeLessThanOrEqual(MOST_BYTES);
  expect(article.gzipBytes).toBeGreaterThan(MOST_BYTES / 2);
  expect(both.bytes - article.bytes).toBeGreaterThan(1000);
  // What writes protobuf is in a script of its own, which only the entries that write files import.
  const scripts = readdirSync(LIBRARY).filter((name) => name.endsWith(".js"));
  const having = (text: string) => scripts.filter((name) => readFileSync(join(LIBRARY, name), "utf8").includes(text));
  expect(having("writeVarint(")).toEqual(["pbf.js"]);
  expect(having('"./pbf.js"')).toEqual(["onnx.js", "tensorboard.js"]);
}, 120_000);

it("nothing but what is imported is shipped: no call stands beside the functions", async () => {
  const output = (await build({
    configFile: false,
    logLevel: "error",
    publicDir: false,
    plugins: [
      publishedLibrary(),
      {
        name: "entry",
        resolveId: (id) => (id === "entry" ? id : null),
        load: (id) => (id === "entry" ? `export { FeaturemapError } from ${JSON.stringify(INDEX)};` : null),
      },
    ],
    build: {
      write: false,
      target: "es2022",
      modulePreload: false,
      rolldownOptions: { input: "entry", preserveEntrySignatures: "strict" },
    },
  })) as Rolldown.RolldownOutput;
  expect(output.output.map((part) => (part.type === "chunk" ? part.code : "")).join("").length).toBeLessThan(300);
}, 120_000);
