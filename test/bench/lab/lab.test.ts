// The parts of the benches of our own figures that need no GPU: the useful arithmetic, whose work a kernel does, reports.

import { describe, expect, it } from "vitest";
import { shapesOf, stepFlop, weightSpecs, workOf } from "../../../bench/arithmetic.ts";
import { attribute } from "../../../bench/lab/attribution.ts";
import { bestOf, type KernelFigures } from "../../../bench/lab/figures.ts";
import { kernelLines, kernelReport } from "../../../bench/lab/kernel-report.ts";
import { cubeOf } from "../../../bench/lab/kernels.ts";
import { helpOf, type LabCommand, parseLabOptions } from "../../../bench/lab/options.ts";
import { pointsOf, scalingLines, scalingReport, seriesOf } from "../../../bench/lab/scaling-points.ts";
import { createTimer } from "../../../bench/lab/timer.ts";
import { CALLS, type Calls } from "../../../bench/ledger/ledger.ts";
import { NETWORKS, resized } from "../../../bench/networks.ts";
import { articleReport } from "../../../bench/report.ts";
import { modelOf } from "../../../bench/systems/featuremap.ts";
import { table } from "../../../bench/table.ts";
import { INTERNALS } from "../../../src/model/internals.ts";

describe("the networks", () => {
  it.each(Object.entries(NETWORKS))("%s has the shapes that the library gives it", (_, spec) => {
    const network = modelOf(spec)[INTERNALS].architecture.network!;
    expect(shapesOf(spec).map(({ output }) => output)).toEqual(
      network.layers.map(({ outputShapes }) => outputShapes[0]),
    );
    expect(weightSpecs(spec).map(({ shape }) => shape)).toEqual(network.weights.map(({ shape }) => shape));
  });

  it("take the article's arithmetic, by layer and direction", () => {
    const [conv1, conv2, dense1, dense2] = workOf(NETWORKS.article);
    expect(conv1).toEqual({
      layer: 0,
      m: 73_728,
      n: 32,
      k: 25,
      flop: { forward: 117_964_800, dX: 0, dW: 117_964_800 },
    });
    expect(conv2!.flop).toEqual({ forward: 838_860_800, dX: 838_860_800, dW: 838_860_800 });
    expect([dense1!.flop.dX, dense2!.flop.dX]).toEqual([262_144_000, 2_560_000]);
    expect(stepFlop(NETWORKS.article)).toBe(3_546_624_000);
  });

  it("take the second one's", () => {
    const conv2 = 2 * 100 * 14 * 14 * 9 * 24 * 40;
    const [conv1, dense1, dense2] = [2 * 100 * 28 * 28 * 9 * 24, 2 * 100 * 1960 * 100, 2 * 100 * 100 * 10];
    expect(stepFlop(NETWORKS.second)).toBe(2 * conv1 + 3 * (conv2 + dense1 + dense2));
  });

  it("grow with batch size and filters", () => {
    expect(stepFlop(resized(NETWORKS.article, { batch: 256 }))).toBe(2 * stepFlop(NETWORKS.article));
    const [, conv2] = workOf(resized(NETWORKS.article, { filters: 2 }));
    expect(conv2!.flop.dW).toBe(4 * 838_860_800);
  });
});

describe("attribute", () => {
  const step = (node: string, kernel: string, reads: number[] = [], writes: number[] = []) => ({
    node,
    kernel,
    reads,
    writes,
  });

  it("goes by the names of layers and kernels", () => {
    const found = attribute(
      [
        step("train/batchGather", "batch_gather"),
        step("conv2d", "conv2d"),
        step("conv2d_1", "matmul"),
        step("dense/denseInputGradient", "matmul"),
        step("conv2d_1/conv2dFilterGradient", "conv2d_filter_gradient_sum"),
        step("advance", "advance"),
      ],
      ["conv2d", "max_pooling2d", "conv2d_1", "dense"],
    );
    expect(found.map(({ layer, direction }) => `${layer} ${direction}`)).toEqual([
      "undefined forward",
      "0 forward",
      "2 forward",
      "3 dX",
      "2 dW",
      "undefined forward",
    ]);
  });

  it("puts what two directions share where it is first used, through what came of it", () => {
    const steps = [
      step("conv/transformGradient", "winograd_gradient", [9], [1]),
      step("conv/copyGradient", "copy", [1], [2]),
      step("conv/conv2dFilterGradient", "matmul", [2], [3]),
      step("conv/conv2dInputGradient", "matmul", [1], [4]),
    ];
    expect(attribute(steps, ["conv"]).map(({ direction }) => direction)).toEqual(["dW", "dW", "dW", "dX"]);
  });

  it("sees that a buffer was overwritten in between", () => {
    const steps = [
      step("conv/transformGradient", "winograd_gradient", [9], [1]),
      step("other", "copy", [8], [1]),
      step("conv/conv2dFilterGradient", "matmul", [1], [3]),
    ];
    expect(attribute(steps, ["conv"])[0]!.direction).toBe("dX");
  });
});

/** Figures in which every dispatch takes 2 ms, and the products of a layer's work 1 ms. */
function figuresOf(calls: Partial<Calls> = {}): KernelFigures {
  const nodes = ["conv2d", "conv2d_1", "conv2d_1/conv2dFilterGradient", "conv2d_1/conv2dFilterGradient", "advance"];
  const matmul = (label: string, ms: number[], size = 1024) => ({ label, m: size, n: size, k: size, ms });
  return {
    method: "timestamps",
    layerNames: ["conv2d", "max_pooling2d", "conv2d_1", "max_pooling2d_1", "flatten", "dense", "dense_1"],
    dispatches: nodes.map((node) => ({
      node,
      kernel: node.includes("Gradient") ? "conv2d_filter_gradient" : node,
      workgroups: [1, 2, 3],
      reads: [],
      writes: [],
      ms: [3, 2, 1],
    })),
    stepMs: [8, 9, 10],
    square: [matmul("slow", [9, 9, 9]), matmul("fast", [4, 5, 6]), matmul("lost", [1])],
    equal: [{ layer: 2, matmuls: [matmul("cube", [1, 1, 1], 748)] }],
    encode: { dispatches: 5, ms: [0.01, 0.02, 0.03] },
    counts: { steps: 32, calls: { ...Object.fromEntries(CALLS.map((name) => [name, 0])), ...calls } as Calls },
  };
}

describe("the kernel report", () => {
  const report = kernelReport("article", figuresOf({ submit: 2, dispatchWorkgroups: 160 }));

  it("rates the step by the best product that took part in all rounds", () => {
    expect(bestOf(figuresOf().square).figures.label).toBe("fast");
    expect(report.gflops).toBeCloseTo(3546.624 / 9, 6);
    expect(report.ofBestMatmul).toBeCloseTo(report.gflops / (2 ** 31 / 1e6 / 5), 6);
    expect(report.sumMs).toBe(10);
  });

  it("sums the kernels of a direction and rates them by the layer's own arithmetic", () => {
    const part = report.parts.find(({ layer, direction }) => layer === "conv2d_1" && direction === "dW")!;
    expect(part).toMatchObject({ ms: 4, share: 0.4, usefulFlop: 838_860_800 });
    expect(part.kernels).toHaveLength(2);
    expect(part.gflops).toBeCloseTo(838.8608 / 4, 6);
    expect(part.matmul!.times).toBeCloseTo(part.gflops! / ((2 * 748 ** 3) / 1e6), 6);
    expect(report.dispatches[2]!.gflops).toBeNull();
    expect(report.dispatches[1]!.gflops).toBeCloseTo(838.8608 / 2, 6);
  });

  it("keeps the arithmetic of a direction whose kernel is elsewhere, and none for the first layer's input", () => {
    const part = report.parts.find(({ layer, direction }) => layer === "conv2d_1" && direction === "dX")!;
    expect(part).toMatchObject({ ms: null, gflops: null, usefulFlop: 838_860_800 });
    expect(report.parts.some(({ layer, direction }) => layer === "conv2d" && direction === "dX")).toBe(false);
    expect(report.parts.reduce((sum, { usefulFlop }) => sum + usefulFlop, 0)).toBe(stepFlop(NETWORKS.article));
  });

  it("rates no part by a dispatch that it shares with another", () => {
    const figures = figuresOf();
    const merged = { ...figures.dispatches[2]!, node: "conv2d_1/conv2dFilterGradient + conv2d/conv2dFilterGradient" };
    const dispatches = figures.dispatches.map((dispatch, i) => (i === 2 ? merged : dispatch));
    const shared = kernelReport("article", { ...figures, dispatches });
    expect(shared.dispatches[2]).toMatchObject({ part: "conv2d_1 dW + conv2d dW", gflops: null });
    const rated = shared.parts.filter(({ direction }) => direction === "dW").map(({ ms }) => ms);
    expect(rated).toEqual([null, null, null, null]);
  });

  it("counts calls a step, and prints them", () => {
    expect(report.callsPerStep.submit).toBe(1 / 16);
    const text = kernelLines(report, figuresOf(), false).join("\n");
    for (const words of ["5 dispatches, 0.0625 submits", "0.0200 ms", "shared"]) expect(text).toContain(words);
  });
});

describe("cubeOf", () => {
  it("keeps the work within a few percent", () => {
    for (const { m, n, k } of [...workOf(NETWORKS.article), ...workOf(NETWORKS.second)]) {
      const cube = cubeOf({ m, n, k });
      expect(Math.abs((cube.m * cube.n * cube.k) / (m * n * k) - 1)).toBeLessThan(0.15);
    }
  });
});

describe("the timer without timestamp-query", () => {
  it("submits and waits for each pass by itself, and subtracts what an empty one takes", async () => {
    const ran: string[] = [];
    const pass = { end: () => {} };
    const encoder = { beginComputePass: () => pass, finish: () => ({}) };
    const queue = {
      submit: () => ran.push("submit"),
      onSubmittedWorkDone: () => new Promise<void>((resolve) => setTimeout(resolve, ran.at(-2) === "slow" ? 300 : 5)),
    };
    const device = { features: new Set<string>(), queue, createCommandEncoder: () => encoder };
    const timer = createTimer(device as unknown as GPUDevice);
    const [quick, slow] = await timer.time([() => ran.push("quick"), () => ran.push("slow")]);
    expect(timer.method).toBe("wall clock");
    expect(ran).toEqual(["submit", "submit", "submit", "quick", "submit", "slow", "submit"]);
    expect(slow).toBeGreaterThan(100);
    expect(quick).toBeLessThan(slow!);
  });
});

describe("the scaling report", () => {
  it("says where the cost grows faster than the arithmetic", () => {
    const series = {
      name: "batch size" as const,
      points: [1, 2, 4].map((batch) => ({ batch, filters: 1, samples: 64 })),
    };
    const points = scalingReport(series, ({ batch }) => [{ 1: 10, 2: 12, 4: 48 }[batch]!]);
    expect(points.map(({ growsNoFaster }) => growsNoFaster)).toEqual([true, true, false]);
    expect(points[2]!.growth).toBeCloseTo(2, 6);
    const lines = scalingLines(series.name, points, false);
    expect(lines.at(-1)).toBe("The cost grows FASTER than the arithmetic (by over 15%) at batch size 4.");
    expect(scalingLines(series.name, points.slice(0, 2), false).at(-1)).toContain("no faster");
  });

  it("measures each point once, and with --quick fewer", () => {
    const [all, quick] = [pointsOf(seriesOf(false)), pointsOf(seriesOf(true))];
    expect(new Set(all.map((point) => JSON.stringify(point))).size).toBe(all.length);
    expect(all.map(({ batch }) => batch)).toEqual(expect.arrayContaining([1, 1024]));
    expect(all.map(({ filters }) => filters)).toEqual(expect.arrayContaining([1, 2, 4]));
    expect(quick.length).toBeLessThan(all.length);
  });
});

describe("what another network's arithmetic costs", () => {
  it("is told beside the article's, from the same rounds", () => {
    const ratio = stepFlop(NETWORKS.second) / stepFlop(NETWORKS.article);
    const report = articleReport("second", { stepMs: [50 * ratio, 60 * ratio, 40 * ratio] }, [25, 25, 20]);
    expect(report!.costRatio).toBeCloseTo(2, 6);
    expect(articleReport("article", { stepMs: [1] }, [])).toBeNull();
  });
});

describe("table", () => {
  it("aligns figures to the right, as text and as Markdown", () => {
    const rows = [
      ["a", "10.5 (9.0-11.0)"],
      ["bcd", "-"],
    ];
    expect(table(["name", "ms"], rows)).toEqual([
      "name               ms",
      "a     10.5 (9.0-11.0)",
      "bcd                 -",
    ]);
    expect(table(["name", "ms"], rows, true)[1]).toBe("| ---- | --------------: |");
  });
});

describe("the options of the benches of our own figures", () => {
  const command: LabCommand = {
    name: "bench:kernels",
    does: "Times kernels.",
    takes: ["quick", "network", "host", "json", "help"],
    host: "browser",
  };

  it("are read and are in the help", () => {
    const options = parseLabOptions(command, ["--quick", "--network", "second", "--host", "node"]);
    expect(options).toMatchObject({ quick: true, network: "second", host: "node", markdown: false, help: false });
    expect(parseLabOptions(command, [])).toMatchObject({ network: "article", host: undefined });
    for (const name of command.takes) expect(helpOf(command)).toContain(`--${name} `);
  });

  it.each([
    [["--markdown"], "--markdown"],
    [["--host", "deno"], "--host takes browser or node"],
    [["--network", "third"], "--network takes article or second"],
  ])("%j is refused", (args, words) => {
    expect(() => parseLabOptions(command, args)).toThrow(words);
  });
});
