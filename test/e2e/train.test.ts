// `npm run train` as its users run it: a process of its own, its files, its exit status.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { TrainReport } from "../../cli/report.ts";
import { unpackModel } from "../../src/formats/model-file.ts";
import { weightsFor } from "../../src/formats/saving.ts";
import { fromConfig, type ModelConfig, parseSafetensors } from "../../src/index.ts";
import { INTERNALS } from "../../src/model/internals.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TIMEOUT_MS = 180_000;
const SMALL = ["--train-size", "256", "--test-size", "128", "--batch-size", "32"];
const STEPS = 8;
const SHAPES = [[5, 5, 1, 32], [32], [5, 5, 32, 64], [64], [1024, 1000], [1000], [1000, 10], [10]];
const PARAMETERS = SHAPES.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "featuremap-train-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
});

/** Runs the command to its end; `watch` is called with all of stdout so far each time there is more. */
function train(args: string[], env: Record<string, string> = {}, watch?: (out: string, child: ChildProcess) => void) {
  return new Promise<Ended>((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", "tsx", "cli/train.ts", ...args], {
      cwd: ROOT,
      env: { ...process.env, ...env },
    });
    running.add(child);
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
      watch?.(stdout, child);
    });
    child.stderr.on("data", (chunk) => (stderr += chunk));
    child.on("error", reject);
    child.on("close", (status) => {
      running.delete(child);
      resolve({ status, stdout, stderr });
    });
  });
}

function readReport(path: string): TrainReport {
  return JSON.parse(readFileSync(path, "utf8")) as TrainReport;
}

describe("one epoch of npm run train", () => {
  let ended: Ended;
  let report: TrainReport;
  let weights: Uint8Array;
  beforeAll(async () => {
    const [reportFile, weightsFile] = [join(folder, "report.json"), join(folder, "weights.safetensors")];
    ended = await train([...SMALL, "--epochs", "1", "--report", reportFile, "--save", weightsFile]);
    expect(ended, ended.stderr).toMatchObject({ status: 0, stderr: "" });
    report = readReport(reportFile);
    weights = readFileSync(weightsFile);
  }, TIMEOUT_MS);

  it("prints the network, Keras's lines and a summary", () => {
    const { stdout } = ended;
    expect(stdout).toContain('Model: "');
    expect(stdout).toMatch(/^Epoch 1\/1$/m);
    const metric = "[0-9.e+-]+";
    const line = `^8/8 ━{20} \\d+s \\S+/step - accuracy: ${metric} - loss: ${metric} - val_accuracy: ${metric} - val_loss: ${metric}$`;
    expect(stdout).toMatch(new RegExp(line, "m"));
    for (const name of ["adapter", "browser", "epochs", "test accuracy", "speed", "each step", "GPU memory"]) {
      expect(stdout).toMatch(new RegExp(`^${name} `, "m"));
    }
    expect(stdout.includes("software adapter")).toBe(report.adapter!.software);
    expect(stdout).not.toContain("\r");
  });

  it("reports where and how it ran", () => {
    expect(report.adapter).toEqual({
      vendor: expect.any(String),
      architecture: expect.any(String),
      device: expect.any(String),
      description: expect.any(String),
      software: expect.any(Boolean),
      label: expect.stringMatching(/\S/),
    });
    expect(report.runtime).toEqual({
      browser: expect.stringMatching(/ \d+\.\d/),
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
    });
    expect(report.options).toEqual({
      epochs: 1,
      batchSize: 32,
      optimizer: "sgd",
      learningRate: 0.01,
      trainSize: 256,
      testSize: 128,
      seed: 1,
      parity: false,
    });
    expect(report.interrupted).toBe(false);
    expect(report.choices).toBeTypeOf("object");
  });

  it("reports the history, and the test that equals its last validation", () => {
    const { history, test } = report;
    expect(Object.keys(history).sort()).toEqual(["accuracy", "loss", "val_accuracy", "val_loss"]);
    for (const figures of Object.values(history)) expect(figures).toEqual([expect.any(Number)]);
    expect(history.loss![0]).toBeGreaterThan(1);
    expect(history.loss![0]).toBeLessThan(3);
    expect(test!.accuracy).toBe(history.val_accuracy![0]);
    expect(test!.loss).toBeCloseTo(history.val_loss![0]!, 5);
    expect(test!.accuracy * 128).toBeCloseTo(Math.round(test!.accuracy * 128), 4);
  });

  it("reports times, work and memory that make sense together", () => {
    const { timing, perStep, bytes } = report;
    expect(timing!.msPerStep).toBeGreaterThan(0);
    expect(timing!.imagesPerSecond! * timing!.msPerStep!).toBeCloseTo(32_000, -1);
    expect(timing!.compileMs).toBeGreaterThan(0);
    expect(timing!.firstStepMs).toBeGreaterThan(0);
    expect(Number.isInteger(perStep!.dispatches) && perStep!.dispatches > 0).toBe(true);
    for (const total of [perStep!.submits * STEPS, perStep!.readbacks * STEPS]) {
      expect(total).toBeCloseTo(Math.round(total), 6);
      expect(total).toBeGreaterThan(0);
    }
    expect(bytes!.parameters).toBeGreaterThanOrEqual(4 * PARAMETERS);
    expect(bytes!.activations).toBeGreaterThan(0);
    expect(bytes!.dataset).toBeGreaterThanOrEqual(256 * 28 * 28);
    expect(bytes!.peak).toBeGreaterThanOrEqual(bytes!.parameters + bytes!.dataset);
  });

  it("saves every weight, finite and moved from its start", () => {
    const tensors = [...parseSafetensors(weights).tensors.values()];
    const shapes = tensors.map((tensor) => tensor.shape);
    expect(shapes).toHaveLength(SHAPES.length);
    expect(shapes).toEqual(expect.arrayContaining(SHAPES));
    for (const { data } of tensors as Iterable<{ data: Float32Array }>) {
      expect(data.every(Number.isFinite)).toBe(true);
      expect(data.some((value) => value !== 0)).toBe(true);
    }
  });

  it("saves a model that the library takes back", () => {
    const { config, tensors } = unpackModel(weights, "test");
    const { network } = fromConfig(config as ModelConfig)[INTERNALS].architecture;
    expect(weightsFor(network!, tensors, "test")).toHaveLength(SHAPES.length);
  });

  it("leaves no other file", () => {
    expect(readdirSync(folder).sort()).toEqual(["report.json", "weights.safetensors"]);
  });
});

describe("npm run train, stopped", () => {
  it.skipIf(process.platform === "win32").each(["SIGINT", "SIGTERM"] as const)(
    "keeps what it has on %s",
    async (signal) => {
      const [reportFile, weightsFile] = [join(folder, `${signal}.json`), join(folder, `${signal}.safetensors`)];
      const args = [...SMALL, "--epochs", "1000", "--report", reportFile, "--save", weightsFile];
      let sent = false;
      const { status, stdout, stderr } = await train(args, {}, (out, child) => {
        if (!sent && out.includes("Epoch 2/1000\n")) sent = child.kill(signal);
      });
      expect({ status, stderr }).toEqual({ status: 130, stderr: "" });
      expect(stdout).toContain("Stopping");
      const report = readReport(reportFile);
      expect(report).toMatchObject({ interrupted: true, test: null, adapter: { label: expect.any(String) } });
      const epochs = report.history.loss!.length;
      expect(epochs).toBeGreaterThanOrEqual(1);
      expect(epochs).toBeLessThan(1000);
      expect(report.history.val_accuracy).toHaveLength(epochs);
      expect(parseSafetensors(readFileSync(weightsFile)).tensors.size).toBe(SHAPES.length);
    },
    TIMEOUT_MS,
  );
});

describe("npm run train, refused", () => {
  const oneLine = /^Error: [^\n]+\n$/;

  it.each([["--epochs", "0"], ["--no-such-option"], ["--report", "no/such/folder/report.json"]])(
    "exits with 2 on %s",
    async (...args) => {
      expect(await train(args)).toEqual({ status: 2, stdout: "", stderr: expect.stringMatching(oneLine) });
    },
    TIMEOUT_MS,
  );

  it(
    "exits with 1 where FEATUREMAP_BROWSER names no file",
    async () => {
      const { status, stderr } = await train(SMALL, { FEATUREMAP_BROWSER: join(folder, "no-browser") });
      expect(status).toBe(1);
      expect(stderr).toMatch(oneLine);
      expect(stderr).toContain("no-browser");
    },
    TIMEOUT_MS,
  );

  it(
    "exits with 1 where one of MNIST's files is missing, before it starts a browser",
    async () => {
      const report = join(folder, "never.json");
      const { status, stdout, stderr } = await train([...SMALL, "--report", report], { FEATUREMAP_MNIST: ROOT });
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(oneLine);
      expect(stderr).toContain("train-images-idx3-ubyte");
      expect(existsSync(report)).toBe(false);
    },
    TIMEOUT_MS,
  );

  it(
    "shows its help and exits with 0",
    async () => {
      const { status, stdout } = await train(["--help"]);
      expect(status).toBe(0);
      expect(stdout).toContain("Usage: npm run train -- [options]");
    },
    TIMEOUT_MS,
  );
});
