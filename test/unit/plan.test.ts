import { describe, expect, it } from "vitest";
import { type Choices, isTile } from "../../src/graph/tile.ts";
import { fusedHead, type Loss, sgd } from "../../src/index.ts";
import { lossNamed } from "../../src/model/losses.ts";
import { evaluationProgram, predictionProgram, trainingProgram } from "../../src/model/programs.ts";
import type { MergeLimits } from "../../src/plan/merge.ts";
import { Plan } from "../../src/plan/plan.ts";
import { articleLayers } from "../support/models.ts";
import { networkOf } from "./building.ts";
import { MERGE_MOST, MERGE_NOTHING } from "./recording.ts";

const network = networkOf(articleLayers());
const options = {
  network,
  capacity: 128,
  data: { sampleShape: [28, 28, 1], sampleDtype: "u8", scale: 1 / 255 },
  adapter: "software",
  choices: {},
} as const;
const named = lossNamed("categoricalCrossentropy");
const fused = fusedHead("categoricalCrossentropy");
/** No node gives way to another algorithm, on whatever adapter. */
const direct: Choices = Object.fromEntries(
  ["conv2d_1", "conv2d_1/conv2dInputGradient", "conv2d_1/conv2dFilterGradient"].map((node) => [
    node,
    { algorithm: "direct" },
  ]),
);
type Adapter = "gpu" | "software" | "software-quads";
const training = (
  adapter: Adapter = "software",
  { limits, choices = direct, loss = named }: { limits?: MergeLimits; choices?: Choices; loss?: Loss } = {},
) => {
  const asked = { ...options, adapter, choices, ...(limits && { limits }) };
  return trainingProgram({ ...asked, loss, optimizer: sgd() }).plan;
};

/** Kernel and node of each dispatch of the article's training step, every node computed by its own kernels. */
const STEPS = [
  ["batch_gather", "train/batchGather"],
  ["conv2d", "conv2d"],
  ["conv2d", "conv2d_1"],
  ["matmul", "dense"],
  ["matmul", "dense_1"],
  ["softmax_cross_entropy", "train/softmaxCrossEntropy"],
  ["matmul", "dense_1/denseInputGradient"],
  ["dense_filter_gradient", "dense_1/denseFilterGradient"],
  ["matmul", "dense/denseInputGradient"],
  ["dense_filter_gradient", "dense/denseFilterGradient"],
  ["conv2d_input_gradient", "conv2d_1/conv2dInputGradient"],
  ["conv2d_filter_gradient", "conv2d_1/conv2dFilterGradient"],
  ["conv2d_filter_gradient_sum", "conv2d_1/conv2dFilterGradient"],
  ["conv2d_filter_gradient", "conv2d/conv2dFilterGradient"],
  ["conv2d_filter_gradient_sum", "conv2d/conv2dFilterGradient"],
  ["advance", "advance"],
];

const HEAD = "train/softmaxCrossEntropy";
/** Those of a plan for a GPU, before any are merged, by a fused head. */
const FUSED_STEPS = STEPS.flatMap(([kernel, node]) => {
  if (node === HEAD) return [["dense_cross_entropy", HEAD]];
  return ["dense_1", "dense_1/denseInputGradient"].includes(node!) ? [] : [[kernel!, node!]];
});

/** What Winograd's algorithm puts in the place of the second convolution's kernels, forward and backward. */
const WINOGRAD = new Map([
  ["conv2d_1", ["winograd_input", "winograd_filter", "matmul", "winograd_output"]],
  [
    "conv2d_1/conv2dInputGradient",
    ["winograd_output_gradient", "matmul", "winograd_input_gradient", "winograd_patch_sum"],
  ],
  ["conv2d_1/conv2dFilterGradient", ["matmul", "winograd_filter_gradient"]],
]);
const kernelsOf = ({ steps }: Plan) => steps.map(({ kernel }) => kernel);

describe("the article's network", () => {
  it.each<Adapter>(["software", "software-quads"])("trains in 16 dispatches a step, directly, on %s", (adapter) => {
    const { steps } = training(adapter);
    expect(steps).toHaveLength(16);
    expect(steps.map(({ kernel, node }) => [kernel, node])).toEqual(STEPS);
  });

  it("takes the direct way unasked on a GPU", () => {
    expect(training("gpu", { choices: {} })).toEqual(training("gpu"));
  });

  it.each<Adapter>(["software", "software-quads"])(
    "trains in 22, by Winograd's second convolution, on %s",
    (adapter) => {
      const plan = training(adapter, { choices: {} });
      const nodes = [...new Set(STEPS.map(([, node]) => node!))];
      const expected = nodes.flatMap(
        (node) => WINOGRAD.get(node) ?? STEPS.filter(([, other]) => other === node).map(([kernel]) => kernel),
      );
      expect(expected).toHaveLength(22);
      expect(kernelsOf(plan)).toEqual(expected);
      for (const node of WINOGRAD.keys()) expect(plan.choices[node]).toEqual({ algorithm: "winograd8" });
    },
  );

  it("makes the transforms of x, the kernel and dy once for the three products that read them", () => {
    const { steps } = training("software", { choices: {} });
    const products = steps.filter(({ kernel, node }) => kernel === "matmul" && node.startsWith("conv2d_1"));
    const made = (kernel: string) =>
      steps.filter((step) => step.kernel === kernel).map(({ buffers }) => buffers.at(-1));
    const read = products.map(({ buffers }) => buffers.slice(0, 2));
    const [v, u, dM] = ["winograd_input", "winograd_filter", "winograd_output_gradient"].map(made);
    for (const buffers of [v, u, dM]) expect(buffers).toHaveLength(1);
    expect(read).toEqual([
      [v![0], u![0]],
      [dM![0], u![0]],
      [v![0], dM![0]],
    ]);
  });

  it.each([
    [8, "named", 14],
    [10, "named", 12],
    [16, "named", 11],
    [8, "fused", 13],
    [10, "fused", 10],
    [16, "fused", 9],
  ])("trains on a GPU whose shaders bind %i buffers, its loss %s, in %i dispatches", (most, head, count) => {
    const loss = head === "fused" ? fused : named;
    const { steps } = training("gpu", { loss, limits: { ...MERGE_MOST, maxStorageBuffersPerShaderStage: most } });
    expect(steps).toHaveLength(count);
    for (const { shader } of steps) expect(shader.bindings.length).toBeLessThanOrEqual(most);
    const parts = steps.flatMap(({ kernel, node }) => {
      const nodes = node.split(" + ");
      return kernel.split(" + ").map((name, i) => [name, nodes[i]!]);
    });
    const alone = loss === named ? [...STEPS] : FUSED_STEPS.filter(([, node]) => most >= 9 || node !== HEAD);
    if (loss === fused && most < 9) alone.push(["dense_cross_entropy", HEAD], ["matmul", HEAD]);
    expect(parts.sort()).toEqual(alone.sort());
  });

  it("is evaluated on a GPU by a fused head in 6 dispatches and predicts in 8", () => {
    const gpu = { ...options, adapter: "gpu" } as const;
    expect(evaluationProgram({ ...gpu, loss: fused }).plan.steps.map(({ kernel }) => kernel)).toEqual([
      ...["batch_gather", "conv2d", "conv2d", "matmul", "dense_cross_entropy", "advance"],
    ]);
    expect(predictionProgram(gpu).plan.steps).toHaveLength(8);
  });

  it("is evaluated in 7 and predicts in 8, directly", () => {
    expect(kernelsOf(evaluationProgram({ ...options, choices: direct, loss: named }).plan)).toEqual([
      ...["batch_gather", "conv2d", "conv2d", "matmul", "matmul", "softmax_cross_entropy", "advance"],
    ]);
    expect(kernelsOf(predictionProgram({ ...options, choices: direct }).plan)).toEqual([
      ...["batch_gather", "conv2d", "conv2d", "matmul", "matmul", "softmax", "batch_scatter", "advance"],
    ]);
  });

  it("is evaluated in 10 and predicts in 11 by Winograd's second convolution", () => {
    const images = ["batch_gather", "conv2d", ...WINOGRAD.get("conv2d_1")!, "matmul", "matmul"];
    expect(kernelsOf(evaluationProgram({ ...options, loss: named }).plan)).toEqual([
      ...[...images, "softmax_cross_entropy", "advance"],
    ]);
    expect(kernelsOf(predictionProgram(options).plan)).toEqual([...[...images, "softmax", "batch_scatter", "advance"]]);
  });

  it("never stores what a convolution makes before its pooling", () => {
    const { buffers } = training();
    // conv2d's 128 x 24 x 24 x 32 floats would be the largest tensor of all, four times what is kept.
    expect(Math.max(...buffers.map(({ bytes }) => bytes))).toBe(1024 * 1000 * 4);
    const scratch = buffers.filter(({ bound }) => bound === undefined).map(({ bytes }) => bytes);
    expect(Math.max(...scratch)).toBe(128 * 12 * 12 * 32 * 4);
  });

  it.each([
    ["directly", direct],
    ["by Winograd's algorithm", {}],
  ])("writes every parameter once, %s, and ends by moving on the state", (_, choices) => {
    const { steps, buffers } = training("software", { choices });
    const written = steps.flatMap(({ shader, buffers: used }) =>
      used.filter((_, at) => shader.bindings[at]!.access === "write").map((index) => buffers[index]!),
    );
    const labels = written.filter(({ bound }) => bound !== undefined).map(({ label }) => label);
    const parameters = network.parameters.map(({ path }) => path);
    expect(labels.slice().sort()).toEqual([...parameters, "metrics", "state"].sort());
    expect(labels.slice(-2).sort()).toEqual(["metrics", "state"]);
  });

  it("dispatches workgroups that cover its tensors", () => {
    const { steps } = training();
    expect(steps[0]!.workgroups).toEqual([Math.ceil((128 * (784 / 4 + 10)) / 64), 1, 1]);
    expect(steps.at(-1)!.workgroups).toEqual([1, 1, 1]);
    for (const { workgroups } of steps) {
      for (const count of workgroups) expect(Number.isInteger(count) && count >= 1).toBe(true);
    }
  });
});

describe("toString", () => {
  const plan = training();
  const lines = String(plan).split("\n");

  it("begins with a line that says how much, then a line a dispatch", () => {
    expect(lines[0]).toBe(`training step: 16 dispatches, ${plan.scratchBytes} bytes of scratch`);
    expect(lines[1]!.trim().split(/\s{2,}/)).toEqual(["kernel", "node", "workgroups", "tile", "buffers"]);
    STEPS.forEach(([kernel, node], i) => {
      expect(lines[2 + i]).toMatch(new RegExp(`^${i + 1}\\s+${kernel}\\s+${node!.replace("/", "\\/")}\\s`));
    });
    expect(lines[18]).toBe("scratch buffers:");
  });

  it("shows workgroups, tile and buffers of a dispatch", () => {
    const step = plan.steps[3]!;
    const line = lines[5]!;
    expect(line).toContain(` ${step.workgroups.join("x")} `);
    const tile = plan.choices.dense;
    if (!isTile(tile)) throw new Error("dense has no tile");
    expect(line).toContain(` ${tile.blocksM * 4}x${tile.blocksN * 4} `);
    expect(line).toMatch(/ a=#\d+ b=dense\/kernel bias=dense\/bias c=>#\d+$/);
    expect(lines[17]).toMatch(/ loss=#\d+ correct=#\d+ metrics=>metrics state=>state$/);
  });

  it("lines up its columns", () => {
    const at = lines[1]!.indexOf("workgroups");
    for (const [i, line] of lines.slice(2, 18).entries()) {
      expect(line.slice(at)).toMatch(new RegExp(`^${plan.steps[i]!.workgroups.join("x")}\\s`));
    }
  });

  it("lists the buffers that the plan owns, with their tensors", () => {
    const own = plan.buffers.map(({ bytes, label, bound }, i) => ({ line: `  #${i} ${bytes} B: ${label}`, bound }));
    expect(lines.slice(19)).toEqual(own.filter(({ bound }) => bound === undefined).map(({ line }) => line));
    expect(lines.slice(19).join("\n")).toMatch(/: .*max_pooling2d_1, /);
  });

  it("says which tiles are quads", () => {
    const shown = String(training("software-quads")).split("\n").slice(2, 18);
    for (const [i, [kernel]] of STEPS.entries()) {
      const product = /^(conv2d|matmul|dense_filter)/.test(kernel!);
      expect(shown[i]!.includes(" quad"), shown[i]).toBe(product);
    }
  });

  it("shows slices only of a product that is cut into them", () => {
    // On a GPU the sum of dense_1's forward product, 1000 terms, is not cut: its kernel runs in one slice.
    const gpu = training("gpu", { limits: MERGE_NOTHING });
    const shown = String(gpu)
      .split("\n")
      .slice(2, 2 + gpu.steps.length);
    gpu.steps.forEach(({ kernel, workgroups }, i) => {
      const cut = / \d+x\d+ \/(\d+) /.exec(shown[i]!)?.[1];
      if (kernel === "conv2d_filter_gradient") expect(cut).toBe(String(workgroups[2]));
      if (kernel === "matmul" || kernel === "conv2d" || kernel === "conv2d_input_gradient") {
        expect(cut, shown[i]).toBeUndefined();
      }
    });
  });
});

describe("a merged dispatch", () => {
  it("is a line with all its kernels, nodes and tiles", () => {
    const plan = training("gpu", { limits: MERGE_MOST });
    const at = plan.steps.findIndex(({ kernel }) => kernel.includes("conv2d_input_gradient"));
    const [, kernels, nodes, workgroups, tiles, buffers] = String(plan)
      .split("\n")
      [2 + at]!.split(/\s{2,}/);
    expect(kernels).toBe("dense_filter_gradient + conv2d_input_gradient + conv2d_filter_gradient");
    expect(nodes).toBe("dense/denseFilterGradient + conv2d_1/conv2dInputGradient + conv2d_1/conv2dFilterGradient");
    expect(workgroups).toBe(plan.steps[at]!.workgroups.join("x"));
    expect(tiles).toMatch(/^4x4 \+ 4x4 \+ 4x4 \/\d+$/);
    expect(buffers).toContain("part1_kernel=>dense/kernel");
    expect(buffers).toContain("part2_k=conv2d_1/kernel");
  });
});

describe("scratchBytes", () => {
  it("adds up what the plan owns, and not what it is given", () => {
    const buffers = [
      { label: "x", bytes: 100, bound: 0 },
      { label: "y", bytes: 16 },
      { label: "z", bytes: 8 },
    ];
    const plan = new Plan({ name: "test", buffers, steps: [], bufferOf: new Map(), choices: {} });
    expect(plan.scratchBytes).toBe(24);
    expect(String(plan).split("\n")[0]).toBe("test: 0 dispatches, 24 bytes of scratch");
  });
});
