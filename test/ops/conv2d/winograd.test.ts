import { describe, expect, it } from "vitest";
import type { AdapterClass } from "../../../src/graph/tile.ts";
import type { PlanStep } from "../../../src/plan/plan.ts";
import { workgroupBytes } from "../../../src/wgsl/merge-kernels.ts";
import { Build } from "../../support/building.ts";
import { byInput } from "../../support/ops.ts";
import { MERGE_NOTHING } from "../../support/recording.ts";

const [batch, inC, outC, points] = [2, 5, 8, 6];
const attributes = {
  points,
  taps: 3,
  inputShape: [batch, 8, 8, inC],
  outputShape: [batch, 6, 6, outC],
  pad: [0, 0],
} as const;
// Tiles of 4 x 4 outputs.
const tiles = batch * 2 * 2;
const [v, u, m] = [
  [points ** 2, tiles, inC],
  [points ** 2, inC, outC],
  [points ** 2, tiles, outC],
] as const;
const ADAPTERS: readonly AdapterClass[] = ["gpu", "software", "software-quads"];

/** The steps of one of Winograd's ops. */
function steps(op: string, inputs: readonly (readonly number[])[], adapter: AdapterClass, own: object = {}) {
  const build = new Build();
  const ids = inputs.map((shape, i) => build.input(`in${i}`, shape));
  const all = [...ids, ...(/Input$|OutputGradient$/.test(op) ? [build.graph.state] : [])];
  build.want(...Object.values(build.add(op, byInput(op, all), { ...attributes, ...own })));
  return build.lower({ adapter, limits: MERGE_NOTHING }).steps;
}

const constant = ({ shader }: PlanStep, name: string) =>
  Number(new RegExp(`const ${name}: ?u32 ?= ?(\\d+)u;`).exec(shader.code)?.[1]);
const channels = (step: PlanStep) => [
  /alias Channels ?= ?(\w+);/.exec(step.shader.code)?.[1],
  constant(step, "CHANNELS"),
];
const of64 = (count: number) => [Math.ceil(count / 64), 1, 1];

describe("Winograd's transforms", () => {
  it.each([
    ["winogradInput", [attributes.inputShape], tiles, inC, true],
    ["winogradFilter", [[3, 3, inC, outC]], inC, outC, false],
    ["winogradInputGradient", [v], batch * 2, inC, false],
    ["winogradFilterGradient", [u, m], inC, outC, true],
  ] as const)("take a channel an invocation on GPUs, and four elsewhere: %s", (op, inputs, rows, last, inLines) => {
    for (const adapter of ADAPTERS) {
      const [step] = steps(op, inputs, adapter, op === "winogradFilterGradient" ? { hasBias: false } : {});
      const wide = adapter === "gpu" ? 1 : 4;
      expect(channels(step!)).toEqual([wide === 1 ? "f32" : "vec4f", wide]);
      const count = rows * Math.ceil(last / wide);
      const lines = inLines && adapter === "gpu";
      expect(step!.workgroups).toEqual(lines ? [Math.ceil(count / 8), 1, 1] : of64(count));
      expect(step!.shader.workgroupSize).toEqual(lines ? [8, points, 1] : [64, 1, 1]);
      // An invocation a line: workgroup memory for 8 things, with a free place for each; nothing of the sort elsewhere.
      expect(workgroupBytes(step!.shader.code)).toBe(lines ? 4 * points * 8 * (points + 1) : 0);
      expect(step!.shader.code.includes("workgroupBarrier")).toBe(lines);
    }
  });

  it.each([
    ["winogradOutput", [m], {}],
    ["winogradOutput", [m], { pool: [2, 2] }],
    ["winogradOutputGradient", [attributes.outputShape], {}],
  ] as const)("of y and of dy take four channels everywhere: %s", (op, inputs, own) => {
    for (const adapter of ADAPTERS) {
      const [step] = steps(op, inputs, adapter, own);
      expect(channels(step!)).toEqual(["vec4f", 4]);
      const count = tiles * (outC / 4);
      const lines = op === "winogradOutput" && adapter === "gpu";
      expect(step!.workgroups).toEqual(lines ? [Math.ceil(count / 8), 1, 1] : of64(count));
      expect(step!.shader.workgroupSize).toEqual(lines ? [8, points, 1] : [64, 1, 1]);
      expect(workgroupBytes(step!.shader.code)).toBe(lines ? 16 * points * 8 * (points + 1) : 0);
    }
  });

  it("add up strips by four channels everywhere", () => {
    for (const adapter of ADAPTERS) {
      const [, sum] = steps("winogradInputGradient", [v], adapter);
      expect([sum!.kernel, sum!.workgroups]).toEqual(["winograd_patch_sum", of64(batch * 8 * 8 * 2)]);
    }
  });

  it("in lines fit in a workgroup of every device at 8 points, of a channel or of four", () => {
    const eight = { points: 8, taps: 5, inputShape: [1, 8, 8, 32], outputShape: [1, 4, 4, 64] };
    for (const [op, shape, wide] of [
      ["winogradInput", [1, 8, 8, 32], 1],
      ["winogradOutput", [64, 1, 64], 4],
    ] as const) {
      const [step] = steps(op, [shape], "gpu", eight);
      expect(step!.shader.workgroupSize).toEqual([8, 8, 1]);
      expect(workgroupBytes(step!.shader.code)).toBe(4 * wide * 8 * 8 * 9);
      expect(workgroupBytes(step!.shader.code)).toBeLessThanOrEqual(16384);
    }
  });

  it("make the bias gradient as a sum of its own, over the tiles at the points 1 and 1", () => {
    for (const adapter of ADAPTERS) {
      const [kernel, bias] = steps("winogradFilterGradient", [u, m], adapter, { hasBias: true });
      expect([kernel!.kernel, bias!.kernel]).toEqual(["winograd_filter_gradient", "conv2d_filter_gradient_sum"]);
      const constants = ["SLICES", "FIRST", "ROWS", "OUT_C", "PARTS"].map((name) => constant(bias!, name));
      expect(constants).toEqual([tiles, (points + 1) * tiles, 1, outC, adapter === "gpu" ? 2 : 1]);
      expect(kernel!.shader.bindings.map(({ name }) => name)).toEqual(["du", "kernel"]);
      expect(bias!.shader.bindings.map(({ name }) => name)).toEqual(["partial", "kernel"]);
    }
    expect(steps("winogradFilterGradient", [u, m], "gpu", { hasBias: false })).toHaveLength(1);
  });
});
