import { describe, expect, it } from "vitest";
import { limitMs } from "../../../bench/gpu/tables-limit.ts";
import { peerLines, ratioLines, torchLines } from "../../../bench/gpu/tables-others.ts";
import { kernelLines, overheadLines, stepLines, sweepLines, testLines } from "../../../bench/gpu/tables-ours.ts";
import {
  cardName,
  checkedRun,
  choiceText,
  isQuick,
  PART_NAMES,
  type PartName,
  type Parts,
  type RunInfo,
  reducedSweep,
  runInfoOf,
  shortTests,
  slugOf,
} from "../../../bench/gpu/tables-run.ts";
import { BEGIN, END, gpuSection, withSection } from "../../../bench/gpu/tables-section.ts";

const ADAPTER = {
  vendor: "nvidia",
  device: "nvidia-h100-80gb-hbm3",
  description: "NVIDIA: 580.159.04",
  software: false,
};
const INFO: RunInfo = {
  date: "2026-11-27",
  quick: false,
  kit: { node: "v20.20.2", webgpu: "0.4.0", featuremap: "0.1.0 at 1234567" },
};
const measured = (part: string, figures: object) => ({ part, quick: false, seconds: 1, adapter: ADAPTER, ...figures });
const tile = { blocksM: 1, blocksN: 2, workgroupM: 8, workgroupN: 4, slices: 1, shared: true };

const PARTS: Record<PartName, object> = {
  adapter: measured("adapter", {
    overheads: { dependentDispatchUs: 2.2, independentDispatchUs: 2.1, submitMs: 0.0932 },
  }),
  tests: {
    adapter: ADAPTER,
    files: [
      { name: "matmul", passed: 25, failed: 0, skipped: 1, ms: 8, failures: [] },
      { name: "merge", passed: 1, failed: 1, skipped: 0, ms: 2, failures: [{ test: "a > b", message: "m" }] },
    ],
    passed: 26,
    failed: 1,
    skipped: 1,
    notRun: ["dense"],
  },
  steps: measured("steps", {
    training: [
      {
        network: "article",
        variant: "shipped",
        dispatches: 17,
        choices: {},
        firstEpochMs: 2619,
        wallMs: { 1: 0.3, 64: 0.28 },
        deviceMs: { 1: 0.26, 64: 0.25 },
        dispatchUs: [
          { kernel: "conv2d", node: "conv2d", us: 30 },
          { kernel: "advance", node: "advance", us: 10 },
        ],
      },
    ],
    inference: [
      { network: "article", batch: 128, dispatches: 10, wallMs: { 1: 0.12 }, deviceMs: { 1: 0.096, 64: 0.083 } },
    ],
  }),
  kernels: measured("kernels", {
    networks: [
      {
        network: "article",
        figures: {},
        report: {
          stepMs: 0.27,
          sumMs: 0.3,
          gflops: 13_000,
          bestMatmul: { label: "library gpu", gflops: 20_000 },
          dispatches: [
            {
              kernel: "conv2d",
              node: "conv2d",
              workgroups: [1, 72, 1],
              part: "conv2d forward",
              ms: 0.03,
              share: 0.1,
              usefulFlop: 117_964_800,
              gflops: 3932,
            },
          ],
        },
      },
    ],
  }),
  sweep: measured("sweep", {
    sweeps: [
      {
        network: "article",
        algorithms: [
          { label: "conv2d", places: [["conv2d"]], candidates: [{ choice: [{ algorithm: "direct" }], us: 5 }] },
        ],
        tiles: {
          shipped: [
            {
              label: "dense",
              places: [["dense"]],
              request: { m: 128, n: 1000, k: 1024 },
              candidates: [
                { choice: [tile], us: 40 },
                ...Array.from({ length: 20 }, (_, i) => ({ choice: [{ ...tile, workgroupK: 2 }], us: 30 - i })),
                { choice: [tile], us: null, refused: "too large" },
              ],
            },
          ],
        },
      },
    ],
  }),
  resnet18: measured("resnet18", {
    rows: [
      {
        batch: 16,
        flop: 53e9,
        dispatches: 200,
        firstEpochMs: 9000,
        wallMs: { 1: 9, 16: 8 },
        deviceMs: { 1: 7.5, 16: 7 },
        dispatchUs: [],
      },
    ],
  }),
  torch: {
    quick: false,
    device: "NVIDIA H100 80GB HBM3",
    torch: "2.9.0",
    rows: [
      { network: "article", batch: 128, way: "eager", ms: 0.5 },
      { network: "article", batch: 128, way: "compiled", failed: "RuntimeError: no compiler" },
      { network: "resnet18", batch: 16, way: "graph", ms: 4 },
    ],
  },
  peers: measured("peers", {
    networks: [
      {
        network: "article",
        agreement: "agree",
        systems: [
          {
            name: "featuremap",
            version: "0.1.0",
            firstStepMs: 900,
            stepMs: [0.4, 0.4],
            infer1Ms: [1],
            inferBatchMs: [2],
          },
          {
            name: "jax-js-webgpu",
            version: "0.1.25",
            firstStepMs: 800,
            stepMs: [4, 6],
            infer1Ms: [1],
            inferBatchMs: [2],
          },
          { name: "borch-webgpu", version: "0.2", stepMs: [], infer1Ms: [], inferBatchMs: [], failed: "Error: lost" },
        ],
      },
    ],
  }),
};

function run(names: readonly PartName[] = Object.keys(PARTS) as PartName[], changed: Partial<typeof PARTS> = {}) {
  const texts = names.map((name) => [name, JSON.stringify({ ...PARTS, ...changed }[name])]);
  return checkedRun(Object.fromEntries(texts), [INFO]);
}

/** Cells of the row that has the text, without the spaces around them. */
function row(lines: readonly string[], text: string): string[] {
  const line = lines.find((each) => each.startsWith("|") && each.includes(text));
  return (line ?? "")
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}

describe("a run of the GPU kit", () => {
  it("is of a card, after which its folder and its section are named", () => {
    expect(slugOf(run())).toBe("nvidia-h100-80gb-hbm3");
    expect(cardName(run())).toBe("NVIDIA H100 80GB HBM3");
    expect(cardName(run(["steps"]))).toBe("NVIDIA H100 80GB HBM3");
  });

  it("is refused where a part is not what it should be, naming the part", () => {
    const checked = (name: PartName, text: string) => () =>
      checkedRun({ adapter: JSON.stringify(PARTS.adapter), [name]: text }, []);
    expect(checked("steps", "{")).toThrow(/steps\.json is not what the part steps writes/);
    expect(checked("steps", "{}")).toThrow(/steps\.json/);
    const nothing = { ...PARTS.steps, training: [{ wallMs: { 1: null }, deviceMs: {} }] };
    expect(checked("steps", JSON.stringify(nothing))).toThrow(/a figure is null/);
    expect(checked("torch", '{"rows":[{"way":"eager"}]}')).toThrow(/a figure is undefined/);
  });

  it("is refused where it is of no card, or of several", () => {
    expect(() => run(["torch"])).toThrow(/No part of the run names its adapter/);
    const other = { ...PARTS.steps, adapter: { ...ADAPTER, device: "other" } };
    expect(() => run(undefined, { steps: other })).toThrow(/of one card, got nvidia-h100-80gb-hbm3, other/);
  });

  it("is a rehearsal where any part was", () => {
    expect(isQuick(run())).toBe(false);
    expect(isQuick(run(undefined, { sweep: { ...PARTS.sweep, quick: true } }))).toBe(true);
  });

  it("is told of by the last such line of its log", () => {
    const line = (date: string) => `== run ${JSON.stringify({ ...INFO, date })}`;
    expect(runInfoOf(`${line("2026-01-01")}\nfoo\n${line("2026-01-02")}\n== adapter ended`)?.date).toBe("2026-01-02");
    expect(runInfoOf("foo")).toBeUndefined();
  });
});

describe("the kept tests", () => {
  it("have of each failure the first line, without a machine's paths", () => {
    const { files, ...rest } = shortTests({
      ...(PARTS.tests as Parts["tests"]),
      files: [{ name: "a", passed: 0, failed: 1, skipped: 0, ms: 1, failures: [{ test: "b", message: "c\n  at /d" }] }],
    });
    expect(files[0]!.failures).toEqual([{ test: "b", message: "c" }]);
    expect(rest).toMatchObject({ passed: 26, failed: 1 });
  });
});

describe("the kept sweep", () => {
  const kept = checkedRun({ sweep: JSON.stringify(reducedSweep(run().sweep!)) }, [INFO]);

  it("has of each question the shipped candidate, first, and the twelve best", () => {
    const { candidates } = kept.sweep!.sweeps[0]!.tiles.shipped![0]!;
    expect(candidates.map(({ us }) => us)).toEqual([40, ...Array.from({ length: 12 }, (_, i) => 11 + i)]);
  });

  it("makes the same table, and stays the same when it is kept again", () => {
    expect(sweepLines(kept)).toEqual(sweepLines(run()));
    expect(reducedSweep(kept.sweep!)).toEqual(kept.sweep);
  });
});

describe("the tables", () => {
  it("rate a step by its least device time", () => {
    expect(row(stepLines(run()), "shipped")).toEqual([
      "article",
      "shipped",
      "17",
      "0.300",
      "0.280",
      "0.260",
      "0.250",
      "14186",
      "21.9%",
      "2619",
    ]);
    expect(row(stepLines(run()), "128")).toEqual(["article", "128", "10", "0.120", "-", "0.0960", "0.0830"]);
  });

  it("set ours beside peers, PyTorch and the limit", () => {
    const lines = ratioLines(run());
    expect(row(lines, "jax-js-webgpu").slice(2)).toEqual(["5.00", "0.250", "20.0x", "0.400", "12.5x"]);
    expect(row(lines, "PyTorch, eager").slice(2)).toEqual(["0.500", "0.250", "2.00x", "0.280", "1.79x"]);
    expect(row(lines, "limit").slice(2)).toEqual(["0.0546", "0.250", "0.219x", "0.280", "0.195x"]);
    expect(lines.join("\n")).not.toMatch(/borch|compiled|resnet18/);
  });

  it("set a shipped tile beside the best", () => {
    expect(row(sweepLines(run()), "tile, shipped").slice(2)).toEqual([
      "dense",
      "128x1000x1024",
      "22",
      "40.0",
      "8x4 of 1x2",
      "11.0",
      "8x4x2 of 1x2",
      "3.64x",
    ]);
    expect(row(sweepLines(run()), "algorithm").slice(5, 7)).toEqual(["5.00", "direct"]);
  });

  it("show kernels, overheads, tests, peers and PyTorch's rows", () => {
    expect(row(kernelLines(run()), "conv2d").slice(5)).toEqual(["0.0300", "10.0%", "118.0", "3932"]);
    expect(row(overheadLines(run().adapter), "submit").at(-1)).toBe("93.2");
    expect(testLines(run()).join(" ")).toMatch(/26 passed, 1 failed, 1 skipped.* dense.*- merge: a > b/);
    expect(row(peerLines(run()), "jax-js").slice(3)).toEqual(["5.0 (4.0-6.0)", "12.5x", "800", "1.0", "2.0"]);
    expect(peerLines(run()).join(" ")).toContain('- borch-webgpu, "article": Error: lost');
    expect(row(torchLines(run()), "compiled").slice(3)).toEqual(["failed", "-", "-"]);
    expect(peerLines(run()).join(" ")).toContain('compute the same on "article"');
    expect(torchLines(run())).toContain("- article, 128, compiled: RuntimeError: no compiler");
    expect(row(torchLines(run()), "resnet18").slice(3)).toEqual(["4.00", "4000", "-"]);
    const ours = torchLines(run()).at(-1)!;
    expect(
      ours
        .split("|")
        .map((cell) => cell.trim())
        .slice(1, -1),
    ).toEqual(["16", "200", "7.00", "8.00", "2000", "7571", "0.500x"]);
    expect(torchLines(run(PART_NAMES.filter((name) => name !== "torch"))).at(-1)).toContain("7.00");
  });

  it("show the dispatches of the steps where the kernels were not measured", () => {
    expect(row(kernelLines(run(["steps"])), "conv2d")).toEqual(["1", "conv2d", "conv2d", "0.0300", "75.0%"]);
    expect(row(kernelLines(run()), "advance")).toEqual([]);
  });

  it("leave out kernels that were measured at a lower clock than steps, and say so", () => {
    expect(kernelLines(run()).join(" ")).not.toContain("low clock");
    const [first] = (PARTS.kernels as { networks: { report: object }[] }).networks;
    const slow = { ...PARTS.kernels, networks: [{ ...first, report: { ...first!.report, stepMs: 2.6 } }] };
    const lines = kernelLines(run(undefined, { kernels: slow }));
    expect(lines.join(" ")).toMatch(/"article" at a low clock.* 10\.0 times/);
    expect(row(lines, "conv2d")).toEqual(["1", "conv2d", "conv2d", "0.0300", "75.0%"]);
  });

  it("warn where tiles were measured at a lower clock than steps", () => {
    expect(sweepLines(run()).join(" ")).not.toContain("clock was low");
    const sweep = JSON.stringify(PARTS.sweep).replace('"us":40', '"us":4000');
    expect(sweepLines(run(undefined, { sweep: JSON.parse(sweep) })).join(" ")).toContain("add up to 4.00 ms");
  });

  it("name no limit of a card that they do not know", () => {
    expect(limitMs("nvidia-h100-80gb-hbm3", "article")).toBeCloseTo(0.0546, 3);
    expect(limitMs("radeon", "article")).toBeUndefined();
  });

  it("tell a tile in few words", () => {
    const hoisted = { ...tile, shared: false, hoisted: true, slices: 8, depth: 4 };
    expect(choiceText([hoisted])).toBe("8x4 of 1x2, 8 slices, depth 4, hoisted");
    expect(choiceText([{ algorithm: "winograd8" }, { algorithm: "winograd8" }])).toBe("winograd8");
  });
});

describe("the section", () => {
  it("says of each part that is missing that it was not measured", () => {
    const section = gpuSection([run(["adapter"])]);
    expect(section.match(/Not measured in this run\./g)).toHaveLength(7);
    expect(gpuSection([run()])).not.toContain("Not measured");
  });

  it("names the card, its driver, the day and what was run", () => {
    const section = gpuSection([run()]);
    expect(section).toContain("### NVIDIA H100 80GB HBM3");
    expect(section).toContain(
      "2026-11-27; adapter nvidia, driver NVIDIA: 580.159.04; Node v20.20.2, Dawn of webgpu 0.4.0",
    );
    expect(section).not.toContain("rehearsal");
  });

  it("has a part for each card, and says where there is none", () => {
    expect(gpuSection([run(), run(["steps"])]).match(/^### /gm)).toHaveLength(2);
    expect(gpuSection([])).toContain("No card has been measured yet.");
  });

  it("goes before the first section, and afterwards in its own place", () => {
    const first = withSection("# A\n\nwords\n\n## B\n", gpuSection([]));
    expect(first).toMatch(/words\n\n<!-- gpu tables[\s\S]*<!-- end of gpu tables -->\n\n## B\n$/);
    const second = withSection(first, gpuSection([run()]));
    expect(withSection(second, gpuSection([]))).toBe(first);
    expect(() => withSection(`${END}\n${BEGIN}`, "")).toThrow(/both comments/);
  });
});
