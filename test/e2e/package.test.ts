import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "../../cli/browser.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** An app as a user writes it, in strict TypeScript. */
const APP = `
import { conv2d, dense, flatten, type History, maxPooling2d, sequential, sgd, tensor } from "featuremap";

async function train(): Promise<History> {
  const model = sequential([
    conv2d({ filters: 4, kernelSize: [3, 3], activation: "relu", inputShape: [8, 8, 1] }),
    maxPooling2d({ poolSize: [2, 2] }),
    flatten(),
    dense({ units: 2, activation: "softmax" }),
  ]);
  await model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: sgd({ learningRate: 0.1 }), metrics: ["accuracy"] });
  const x = tensor(new Uint8Array(4 * 64).fill(128), [4, 8, 8, 1], { scale: 1 / 255 });
  const history = await model.fit(x, [0, 1, 0, 1], { batchSize: 4, epochs: 1, verbose: 0 });
  model.dispose();
  return history;
}

train().then(
  ({ history }) => { document.title = "loss " + history.loss[0]; },
  (error: unknown) => { document.title = "error " + String(error); },
);
`;

const TSCONFIG = {
  compilerOptions: {
    target: "ES2022",
    module: "ESNext",
    moduleResolution: "Bundler",
    lib: ["ES2022", "DOM"],
    types: [], // TypeScript 6 and later know WebGPU by themselves
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
  },
  include: ["main.ts"],
};

describe("the package, packed and installed into a fresh Vite project", () => {
  const folder = mkdtempSync(join(tmpdir(), "featuremap-app-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  beforeAll(() => {
    const packed = execFileSync("npm", ["pack", "--json", "--pack-destination", folder], {
      cwd: ROOT,
      encoding: "utf8",
    });
    const tarball = /"filename": "([^"]+)"/.exec(packed)![1]!;
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(TSCONFIG));
    writeFileSync(join(folder, "main.ts"), APP);
    writeFileSync(join(folder, "index.html"), '<!doctype html><script type="module" src="main.ts"></script>');
    execFileSync("npm", ["install", "--offline", "--no-audit", "--no-fund", join(folder, tarball)], { cwd: folder });
  });

  it("type-checks", () => {
    const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
    execFileSync(process.execPath, [tsc, "-p", folder], { cwd: folder, stdio: "inherit" });
  });

  it("trains a step, without any plugin", async () => {
    const server = await createServer({ root: folder, configFile: false, logLevel: "error", server: { port: 0 } });
    const { browser } = await launchBrowser({ log: () => {} });
    try {
      await server.listen();
      const page = await browser.newPage();
      await page.goto(server.resolvedUrls!.local[0]!);
      await page.waitForFunction(() => document.title !== "", undefined, { timeout: 120_000 });
      expect(await page.title()).toMatch(/^loss 0\.\d+/);
    } finally {
      await browser.close();
      await server.close();
    }
  });
});
