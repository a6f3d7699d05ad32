import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { browserArgs, launchBrowser } from "./cli/browser.ts";
import { ENTRIES } from "./cli/entries.ts";
import { importGuide } from "./cli/guide-pages.ts";
import { leanShaders } from "./cli/lean-shaders.ts";
import { serveMnist } from "./cli/mnist-server.ts";

/** Vitest reads this file once for each project; the browser is looked for once. */
const shared = globalThis as { featuremapBrowser?: ReturnType<typeof browserLaunch> };
if (process.env.VITEST) shared.featuremapBrowser ??= browserLaunch();
const launch = (await shared.featuremapBrowser) ?? {};

/** Tests that need a GPU run in the browser that the machine has: on its GPU or, where there is none, in software. */
async function browserLaunch() {
  const { browser, browserName, browserVersion, executablePath, adapterKind } = await launchBrowser({
    log: console.error,
  });
  await browser.close();
  const software = adapterKind === "software";
  const words = software ? "a software adapter, on the processor: no GPU was found" : "the GPU";
  console.error(`GPU tests run in ${browserName} ${browserVersion} on ${words}.`);
  return { executablePath, args: browserArgs({ software }) };
}

function browserProject(name: string, include: string[]) {
  return {
    extends: true as const,
    test: {
      name,
      include,
      // A software adapter compiles one pipeline after the other, for seconds each where the machine is busy.
      testTimeout: 300_000,
      hookTimeout: 300_000,
      fileParallelism: false,
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({ launchOptions: launch }),
        instances: [{ browser: "chromium" as const }],
      },
    },
  };
}

function nodeProject(name: string, include: string[], testTimeout: number, exclude: string[] = []) {
  return {
    extends: true as const,
    test: { name, include, exclude, testTimeout, hookTimeout: testTimeout, environment: "node" },
  };
}

/** The property tests again, with 20 times as many cases. */
function propertyProject() {
  const files = ["outside-data", "snapshots/snapshot-check", "formats/model-file", "hostile-arguments"];
  const project = nodeProject(
    "properties",
    files.map((name) => `test/${name}.test.ts`),
    1_800_000,
  );
  return { ...project, test: { ...project.test, env: { FEATUREMAP_CASES: "20000" } } };
}

/** Files one after the other: pages that train beside each other would wait for each other. */
function pageProject() {
  const project = nodeProject("page", ["test/page/**/*.test.ts"], 300_000);
  return { ...project, test: { ...project.test, fileParallelism: false } };
}

export default defineConfig({
  plugins: [serveMnist(), leanShaders(), importGuide()],
  // Known before a test imports it, so that the page is not loaded anew in its middle.
  optimizeDeps: { include: ["fast-check", "pbf"] },
  build: {
    lib: { entry: Object.fromEntries(ENTRIES.map(({ script, source }) => [script, source])), formats: ["es"] },
    target: "es2022",
    sourcemap: true,
    minify: false,
    // Like beside like, within a compressor's window: 2.3 KB less to load, gzipped, than each shader beside its op.
    rolldownOptions: {
      output: {
        chunkFileNames: "[name].js",
        codeSplitting: {
          groups: [
            { name: "shaders", test: /\.wgsl/, priority: 2 },
            { name: "ops", test: /\/src\/(ops|plan)\//, priority: 1 },
          ],
        },
      },
    },
  },
  test: {
    projects: [
      nodeProject("unit", ["test/**/*.test.ts"], 20_000, ["test/{e2e,page,kit}/**", "test/**/*.{gpu,full}.test.ts"]),
      browserProject("gpu", ["test/**/*.gpu.test.ts"]),
      nodeProject("e2e", ["test/e2e/**/*.test.ts"], 300_000),
      pageProject(),
      browserProject("full", ["test/**/*.full.test.ts"]),
      propertyProject(),
      nodeProject("kit", ["test/kit/**/*.test.ts"], 600_000),
    ],
  },
});
