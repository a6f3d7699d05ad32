import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import benchPackage from "../../bench/package.json" with { type: "json" };
import { launchBrowser } from "../../cli/browser.ts";
import { ENTRIES } from "../../cli/entries.ts";
import { codeBlocks, MAIN, programsOf } from "../../cli/guide-code.ts";
import { guideText } from "../../cli/guide-pages.ts";
import { addPackages, projectWithPackage } from "../support/packed.ts";
import { swiftShader } from "../support/swiftshader.ts";

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

/** Code of a guide's page in a language that has some words in it. */
function guideBlock(page: string, language: "js" | "ts", words: string): string {
  const found = codeBlocks(guideText(page), language).find((code) => code.includes(words));
  if (!found) throw new Error(`${page} has no ${language} block with ${words}`);
  return found;
}

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
  include: ["main.ts", "recovery.ts", "onnx.ts"],
};

let folder: string;
/** Whether what comes from npm's registry is there. */
let withRegistry: boolean;
beforeAll(() => {
  folder = projectWithPackage();
  const dawn = `webgpu@${benchPackage.dependencies.webgpu}`;
  withRegistry = addPackages(folder, ["webpack@5", "rollup@4", "@rollup/plugin-node-resolve@16", "esbuild", dawn]);
  if (!withRegistry) console.warn("Bundlers and Node's WebGPU are not tried: npm does not reach its registry.");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the package, packed and installed into a fresh Vite project", () => {
  beforeAll(() => {
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(TSCONFIG));
    writeFileSync(join(folder, "main.ts"), APP);
    writeFileSync(join(folder, "recovery.ts"), `${programsOf(guideText("snapshots.md")).get(MAIN)}export {};\n`);
    writeFileSync(join(folder, "onnx.ts"), `${programsOf(guideText("onnx.md")).get(MAIN)}export {};\n`);
    writeFileSync(join(folder, "index.html"), '<!doctype html><script type="module" src="main.ts"></script>');
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

/** Each prints its warnings, as a JSON list of words. */
const BUNDLERS = {
  webpack: `
    import webpack from "webpack";
    const warnings = [];
    const options = { entry: "./all.js", mode: "production", optimization: { minimize: false }, performance: { hints: false } };
    for (const target of ["web", "node"]) {
      const stats = await new Promise((resolve, reject) => webpack({ ...options, target, output: { path: process.cwd() + "/out" } }, (error, done) => error ? reject(error) : resolve(done)));
      if (stats.hasErrors()) throw new Error(stats.toString());
      warnings.push(...stats.toJson({ all: false, warnings: true }).warnings.map(({ message }) => message));
    }
    console.log(JSON.stringify(warnings));`,
  rollup: `
    import { rollup } from "rollup";
    import resolve from "@rollup/plugin-node-resolve";
    const warnings = [];
    const bundle = await rollup({ input: "all.js", plugins: [resolve()], onwarn: ({ message }) => warnings.push(message) });
    await bundle.generate({ format: "es" });
    console.log(JSON.stringify(warnings));`,
  esbuild: `
    import { build } from "esbuild";
    const options = { entryPoints: ["all.js"], bundle: true, write: false, logLevel: "silent", format: "esm" };
    const { warnings } = await build(options);
    console.log(JSON.stringify(warnings.map(({ text }) => text)));`,
  vite: `
    import { build, createLogger } from ${JSON.stringify(join(ROOT, "node_modules/vite/dist/node/index.js"))};
    const warnings = [];
    const customLogger = { ...createLogger("silent"), warn: (text) => warnings.push(text), warnOnce: (text) => warnings.push(text) };
    await build({ configFile: false, customLogger, build: { write: false, chunkSizeWarningLimit: 1e5, rolldownOptions: { input: "all.js" } } });
    // Of a machine that is busy.
    console.log(JSON.stringify(warnings.filter((text) => !text.includes("PLUGIN_TIMINGS"))));`,
} as const;

describe("bundlers", () => {
  beforeAll(() => {
    const all = ENTRIES.map(({ name }, i) => `import * as entry${i} from "${name}";\nconsole.log(entry${i});\n`);
    writeFileSync(join(folder, "all.js"), all.join(""));
  });

  it.for(Object.keys(BUNDLERS) as (keyof typeof BUNDLERS)[])("%s has nothing to warn of", (name, { skip }) => {
    if (!withRegistry && name !== "vite") skip();
    writeFileSync(join(folder, `${name}.js`), BUNDLERS[name]);
    const { status, stdout, stderr } = spawnSync(process.execPath, [`${name}.js`], { cwd: folder, encoding: "utf8" });
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout.trim().split("\n").at(-1)!)).toEqual([]);
  });
});

const DATA = `
const x = tensor(Float32Array.from({ length: 400 * 4 }, (_, i) => Math.sin(i)), [400, 4]);
const y = Array.from({ length: 400 }, (_, i) => i % 3);`;
/** All garbage is collected again and again, while it trains and after. */
const COLLECTING = "const collecting = setInterval(gc, 3);\n";
const COLLECTED = `
for (let i = 0; i < 50; i++) {
  gc();
  await new Promise((resolve) => setTimeout(resolve, 3));
}
clearInterval(collecting);
console.log("trained to the end");`;

describe("the guide's program for Node, while garbage is collected,", () => {
  const driver = swiftShader();
  const program = guideBlock("devices.md", "js", 'from "webgpu"');
  const parts = {
    "as it is": program,
    "without dispose": program.replace(/^runtime\.dispose\(\);.*$/m, ""),
    "where only the device is kept": `${program}
      const device = await (async () => (await createRuntime({ gpu: create([]) })).device)();
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 3));
      const buffer = device.createBuffer({ size: 16, usage: 9 });
      await buffer.mapAsync(1);
      buffer.unmap();
      device.destroy();
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 3));
      await buffer.mapAsync(1).catch(() => {});
      await device.queue.onSubmittedWorkDone().catch(() => {});`,
    "disposed of in the middle": program.replace(
      /^await model\.fit.*$/m,
      (line) =>
        `${line.replace("await ", "const fitting = ")}\nfitting.catch(() => {});\nawait new Promise((resolve) => setTimeout(resolve, 30));`,
    ),
  };

  it.for(Object.entries(parts).map(([name, text]) => ({ name, text })))(
    "$name ends by itself, and well",
    ({ name, text }, { skip }) => {
      if (!withRegistry) skip("npm does not reach its registry");
      if (!driver) skip("there is no SwiftShader beside the browser");
      const file = join(folder, "node", `${name.replaceAll(" ", "-")}.js`);
      mkdirSync(join(folder, "node"), { recursive: true });
      const code = text.replace(/import \{ /, "import { tensor, ").replace(/\n\n/, `\n${DATA}\n${COLLECTING}\n`);
      writeFileSync(file, code + COLLECTED);
      const env = { ...process.env, VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver };
      for (let run = 0; run < 3; run++) {
        const ended = spawnSync(process.execPath, ["--expose-gc", file], { env, encoding: "utf8", timeout: 100_000 });
        expect(ended, ended.stderr).toMatchObject({ status: 0, signal: null });
        expect(ended.stdout).toContain("trained to the end");
      }
    },
  );
});
