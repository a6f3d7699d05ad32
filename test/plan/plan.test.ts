import { describe, expect, it } from "vitest";
import { type Choices, isTile } from "../../src/graph/tile.ts";
import { averagePooling2d, conv2d, dense, flatten, sgd } from "../../src/index.ts";
import type { LossName } from "../../src/losses/losses.ts";
import type { MergeLimits } from "../../src/plan/merge-dispatches.ts";
import { Plan } from "../../src/plan/plan.ts";
import { evaluationProgram, predictionProgram, trainingProgram } from "../../src/program/programs.ts";
import { workgroupBytes } from "../../src/wgsl/merge-kernels.ts";
import { networkOf } from "../support/building.ts";
import { articleLayers } from "../support/models.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";
import { MERGE_MOST, MERGE_NOTHING } from "../support/recording.ts";

const network = networkOf(articleLayers());
const inputs = inputsOf(network, { dtype: "u8", scale: 1 / 255 });
const options = { network, capacity: 128, inputs, adapter: "software", choices: {} } as const;
const LOSSES = ["categoricalCrossentropy", "sparseCategoricalCrossentropy"] as const;
const measures = measuresOf(network);
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
  { limits, choices = direct, loss }: { limits?: MergeLimits; choices?: Choices; loss?: LossName } = {},
) => {
  const asked = { ...options, adapter, choices, ...(limits && { limits }) };
  return trainingProgram({ ...asked, measures: measuresOf(network, loss), optimizer: sgd() }).plan;
};

/** The gathers of images and labels, which share a dispatch everywhere. */
const GATHERS = "batch_gather + batch_gather";

/** Kernel and node of each dispatch of the article's training step, every node computed by its own kernels. */
const STEPS = [
  [GATHERS, "train/batchGather + train/batchGather_1"],
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
  ["advance", "train/advance"],
];

/** What Winograd's algorithm puts in the place of the second convolution's kernels, forward and backward. */
const WINOGRAD = new Map([
  ["conv2d_1", ["winograd_input", "winograd_filter", "matmul", "winograd_output"]],
  [
    "conv2d_1/conv2dInputGradient",
    ["winograd_output_gradient", "matmul", "winograd_input_gradient", "winograd_patch_sum"],
  ],
  ["conv2d_1/conv2dFilterGradient", ["matmul", "winograd_filter_gradient", "conv2d_filter_gradient_sum"]],
]);
const kernelsOf = ({ steps }: Plan) => steps.map(({ kernel }) => kernel);
/** The kernels of a step, in order, the second convolution by Winograd's algorithm. */
const WINOGRAD_KERNELS = [...new Set(STEPS.map(([, node]) => node!))].flatMap(
  (node) => WINOGRAD.get(node) ?? STEPS.filter(([, other]) => other === node).map(([kernel]) => kernel!),
);

/** Kernels of dispatches, those that share one apart. */
const apart = (kernels: readonly string[]) => kernels.flatMap((kernel) => kernel.split(" + "));

/** Kernels with the head that GPUs have: one kernel, or two where a shader binds fewer than 9 buffers. */
function withHead(kernels: readonly string[], most: number): string[] {
  const at = kernels.indexOf("softmax_cross_entropy");
  expect([kernels[at - 1], kernels[at + 1]]).toEqual(["matmul", "matmul"]);
  const head = ["dense_cross_entropy", ...(most < 9 ? ["matmul"] : [])];
  return [...kernels.slice(0, at - 1), ...head, ...kernels.slice(at + 2)];
}

describe("the article's network", () => {
  it.each<Adapter>(["software", "software-quads"])("trains in 16 dispatches a step, directly, on %s", (adapter) => {
    const { steps } = training(adapter);
    expect(steps).toHaveLength(16);
    expect(steps.map(({ kernel, node }) => [kernel, node])).toEqual(STEPS);
  });

  it.each<Adapter>(["software", "software-quads"])(
    "trains in 23, by Winograd's second convolution, on %s",
    (adapter) => {
      const plan = training(adapter, { choices: {} });
      expect(WINOGRAD_KERNELS).toHaveLength(23);
      expect(kernelsOf(plan)).toEqual(WINOGRAD_KERNELS);
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

  it.each([8, 10])("has, on a GPU whose shaders bind %i buffers, the last layer and its loss in one kernel", (most) => {
    const limits = { ...MERGE_NOTHING, maxStorageBuffersPerShaderStage: most };
    const directly = STEPS.map(([kernel]) => kernel!);
    expect(kernelsOf(training("gpu", { limits }))).toEqual(apart(withHead(directly, most)));
    expect(kernelsOf(training("gpu", { limits, choices: {} }))).toEqual(apart(withHead(WINOGRAD_KERNELS, most)));
    expect(withHead(WINOGRAD_KERNELS, most)).toHaveLength(most < 9 ? 22 : 21);
  });

  it("takes Winograd's second convolution unasked on a GPU, too, unless memory is to be kept small", () => {
    const { choices } = training("gpu", { choices: {} });
    for (const node of WINOGRAD.keys()) expect(choices[node]).toEqual({ algorithm: "winograd8" });
    // One channel of x is too few for transforms to pay.
    expect(choices.conv2d).toHaveProperty("blocksM");
    // 24 and 40 channels by a kernel of 3 x 3 are enough, on every adapter.
    const small = networkOf([
      conv2d({ filters: 24, kernelSize: 3, padding: "same", activation: "relu", inputShape: [28, 28, 1] }),
      averagePooling2d(),
      conv2d({ filters: 40, kernelSize: 3, padding: "same", activation: "relu" }),
      averagePooling2d(),
      flatten(),
      dense({ units: 10, activation: "softmax" }),
    ]);
    const transforms = (adapter: Adapter) => {
      const made = {
        ...options,
        network: small,
        capacity: 100,
        adapter,
        measures: measuresOf(small),
        optimizer: sgd(),
      };
      return kernelsOf(trainingProgram(made).plan).filter((kernel) => kernel.includes("winograd")).length;
    };
    expect(transforms("gpu")).toBeGreaterThan(0);
    expect(transforms("gpu")).toBe(transforms("software"));
    const compact = { ...options, adapter: "gpu", memory: "compact", measures, optimizer: sgd() } as const;
    expect(kernelsOf(trainingProgram(compact).plan).filter((kernel) => kernel.includes("winograd"))).toEqual([]);
  });

  // Buffers that a shader binds, bytes that a workgroup has, and dispatches: as shipped, and directly.
  const COUNTS = [
    [8, 16384, 17, 14],
    [8, 32768, 17, 14],
    [10, 16384, 15, 11],
    [10, 32768, 14, 10],
    [16, 16384, 15, 11],
    [16, 32768, 14, 10],
  ] as const;

  it.each(LOSSES.flatMap((name) => COUNTS.map((row) => [name, ...row] as const)))(
    "trains on a GPU by %s, by %i buffers and %i bytes, in %i dispatches, directly in %i",
    (name, most, bytes, ...counts) => {
      const limits = { maxStorageBuffersPerShaderStage: most, maxComputeWorkgroupStorageSize: bytes };
      const plans = [{}, direct].map((choices) => training("gpu", { choices, loss: name, limits }));
      expect(plans.map(({ steps }) => steps.length)).toEqual(counts);
      const kernels = [WINOGRAD_KERNELS, STEPS.map(([kernel]) => kernel!)].map((alone) => apart(withHead(alone, most)));
      for (const [i, { steps }] of plans.entries()) {
        for (const { shader } of steps) {
          expect(shader.bindings.length).toBeLessThanOrEqual(most);
          expect(workgroupBytes(shader.code)).toBeLessThanOrEqual(bytes);
        }
        expect(apart(steps.map(({ kernel }) => kernel)).sort()).toEqual(kernels[i]!.slice().sort());
      }
    },
  );

  it.each(LOSSES)("is evaluated on a GPU by a fused head in 6 dispatches and predicts in 8, directly: %s", (name) => {
    const gpu = { ...options, adapter: "gpu", choices: direct } as const;
    expect(kernelsOf(evaluationProgram({ ...gpu, measures: measuresOf(network, name) }).plan)).toEqual([
      GATHERS,
      "conv2d",
      "conv2d",
      "matmul",
      "dense_cross_entropy",
      "advance",
    ]);
    expect(kernelsOf(predictionProgram(gpu).plan)).toEqual([
      "batch_gather",
      "conv2d",
      "conv2d",
      "matmul",
      "matmul",
      "softmax",
      "batch_scatter",
      "advance",
    ]);
  });

  it("is evaluated there in 8 and predicts in 10 by Winograd's second convolution, whose kernel waits for nothing", () => {
    const gpu = { ...options, adapter: "gpu" } as const;
    const images = ["conv2d", "winograd_input", "matmul", "winograd_output", "matmul"];
    expect(kernelsOf(evaluationProgram({ ...gpu, measures }).plan)).toEqual([
      `${GATHERS} + winograd_filter`,
      ...images,
      "dense_cross_entropy",
      "advance",
    ]);
    expect(kernelsOf(predictionProgram(gpu).plan)).toEqual([
      "batch_gather + winograd_filter",
      ...images,
      "matmul",
      "softmax",
      "batch_scatter",
      "advance",
    ]);
  });

  it("is evaluated in 7 and predicts in 8, directly", () => {
    expect(kernelsOf(evaluationProgram({ ...options, choices: direct, measures }).plan)).toEqual([
      GATHERS,
      "conv2d",
      "conv2d",
      "matmul",
      "matmul",
      "softmax_cross_entropy",
      "advance",
    ]);
    expect(kernelsOf(predictionProgram({ ...options, choices: direct }).plan)).toEqual([
      "batch_gather",
      "conv2d",
      "conv2d",
      "matmul",
      "matmul",
      "softmax",
      "batch_scatter",
      "advance",
    ]);
  });

  it("is evaluated in 10 and predicts in 11 by Winograd's second convolution", () => {
    const images = ["conv2d", ...WINOGRAD.get("conv2d_1")!, "matmul", "matmul"];
    expect(kernelsOf(evaluationProgram({ ...options, measures }).plan)).toEqual([
      GATHERS,
      ...images,
      "softmax_cross_entropy",
      "advance",
    ]);
    expect(kernelsOf(predictionProgram(options).plan)).toEqual([
      "batch_gather",
      ...images,
      "softmax",
      "batch_scatter",
      "advance",
    ]);
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
    expect(labels.slice().sort()).toEqual([...parameters, "means", "state"].sort());
    expect(labels.slice(-2).sort()).toEqual(["means", "state"]);
  });

  it("dispatches workgroups that cover its tensors", () => {
    const { steps } = training();
    expect(steps[0]!.workgroups).toEqual([(128 * 784) / 4 / 64 + (128 * Math.ceil(10 / 4)) / 64, 1, 1]);
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
    STEPS.forEach((step, i) => {
      expect(
        lines[2 + i]!.split(/\s{2,}/)
          .slice(0, 3)
          .map((cell) => cell.trim()),
      ).toEqual([`${i + 1}`, ...step]);
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
    expect(lines[17]).toMatch(/ state=>state values_0=#\d+ values_1=#\d+ means=>means$/);
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
      const cut = / \d+x\d+ shared \/(\d+) /.exec(shown[i]!)?.[1];
      // Slices without a step of their own are left out.
      if (kernel === "conv2d_filter_gradient") expect(workgroups[2]).toBeLessThanOrEqual(Number(cut));
      if (kernel === "matmul" || kernel === "conv2d" || kernel === "conv2d_input_gradient") {
        expect(cut, shown[i]).toBeUndefined();
      }
    });
  });
});

describe("a merged dispatch", () => {
  it("is a line with all its kernels, nodes and tiles", () => {
    const plan = training("gpu", { limits: MERGE_MOST });
    const at = plan.steps.findIndex(({ kernel }) => kernel.includes("+ conv2d_filter_gradient"));
    const [, kernels, nodes, workgroups, tiles, buffers] = String(plan)
      .split("\n")
      [2 + at]!.split(/\s{2,}/);
    expect(kernels).toBe("dense_filter_gradient + conv2d_filter_gradient");
    expect(nodes).toBe("dense/denseFilterGradient + conv2d_1/conv2dFilterGradient");
    expect(workgroups).toBe(plan.steps[at]!.workgroups.join("x"));
    expect(tiles).toMatch(/^4x4 shared \+ 4x4 shared \/\d+$/);
    expect(buffers).toContain("part1_kernel=>dense/kernel");
    expect(buffers).toMatch(/ part2_partial=>#\d+/);
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
