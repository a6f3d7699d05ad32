import { describe, expect, it } from "vitest";
import type { AdapterClass, Tile } from "../../../src/graph/tile.ts";
import type { PlanStep } from "../../../src/plan/plan.ts";
import { workgroupBytes } from "../../../src/wgsl/merge-kernels.ts";
import { Build } from "../../support/building.ts";
import { MERGE_NOTHING } from "../../support/recording.ts";

const tile: Tile = { blocksM: 1, blocksN: 1, workgroupM: 4, workgroupN: 4, slices: 1 };
const constant = ({ shader }: PlanStep, name: string) =>
  Number(new RegExp(`const ${name}: ?u32 ?= ?(\\d+)u;`).exec(shader.code)?.[1]);

/** The two kernels of a filter gradient of a 3 x 3 convolution, from 4 channels to 8, with a bias. */
function filterGradient(slices: number, { adapter = "gpu" as AdapterClass, batch = 32, size = 18 } = {}) {
  const build = new Build();
  const out = size - 2;
  const [x, dy] = [build.input("x", [batch, size, size, 4]), build.input("dy", [batch, out, out, 8])];
  const attributes = { strides: [1, 1], padding: "valid", kernelShape: [3, 3, 4, 8], hasBias: true };
  build.want(...Object.values(build.add("conv2dFilterGradient", { x, dy, state: build.graph.state }, attributes)));
  const choices = { conv2dFilterGradient: { ...tile, slices } };
  const { steps } = build.lower({ adapter, choices, limits: MERGE_NOTHING });
  expect(steps.map(({ kernel }) => kernel)).toEqual(["conv2d_filter_gradient", "conv2d_filter_gradient_sum"]);
  return steps as readonly [PlanStep, PlanStep];
}

describe("the slices of a filter gradient", () => {
  // 16 rows of 4 blocks of positions an image, 4 rows a step.
  const [batch, perImage] = [5, 4];
  const steps = batch * perImage;

  it.each(Array.from({ length: steps + 5 }, (_, i) => i + 1))(
    "have a step each where %i are asked for, and cover all steps",
    (asked) => {
      const [gradient, sum] = filterGradient(asked, { batch });
      const slices = constant(gradient, "SLICES");
      expect(gradient.workgroups[2]).toBe(slices);
      expect(constant(sum, "SLICES")).toBe(slices);
      expect(constant(gradient, "BATCH") * perImage).toBe(steps);
      expect(16 / constant(gradient, "STEP_ROWS")).toBe(perImage);
      expect(slices).toBeLessThanOrEqual(Math.min(asked, steps));
      const each = Math.ceil(steps / slices);
      expect((slices - 1) * each).toBeLessThan(steps);
      // As many steps each as with those that were asked for: only empty slices are left out.
      expect(each).toBe(Math.ceil(steps / asked));
    },
  );

  it("are as many as were asked for where these divide the steps", () => {
    for (const asked of [1, 2, 4, 5, 10, 20]) expect(filterGradient(asked, { batch })[0].workgroups[2]).toBe(asked);
    for (const [asked, made] of [
      [6, 5],
      [9, 7],
      [11, 10],
      [19, 10],
      [21, 20],
    ] as const) {
      expect(filterGradient(asked, { batch })[0].workgroups[2]).toBe(made);
    }
  });
});

describe("the sum of the slices", () => {
  // 37 rows, the bias's among them, of 8 columns: 74 sums of 4.
  const sums = 37 * 2;

  it.each([
    [1, 1],
    [7, 1],
    [8, 2],
    [15, 2],
    [16, 4],
    [32, 8],
    [64, 16],
    [128, 32],
  ])("of %i is shared by %i invocations on a GPU, of 4 slices or more each", (slices, parts) => {
    const [, sum] = filterGradient(slices, { batch: 128 });
    const made = constant(sum, "SLICES");
    expect(constant(sum, "PARTS")).toBe(parts);
    if (parts > 1) expect(made / parts).toBeGreaterThanOrEqual(4);
    expect(sum.workgroups).toEqual([Math.ceil((sums * parts) / 64), 1, 1]);
    expect(sum.shader.workgroupSize).toEqual([64, 1, 1]);
    // Barriers and workgroup memory are there only where invocations share.
    expect(workgroupBytes(sum.shader.code)).toBe(parts > 1 ? 64 * 16 : 0);
    expect(sum.shader.code.includes("workgroupBarrier")).toBe(parts > 1);
  });

  it("is one invocation's on a processor", () => {
    const [, sum] = filterGradient(128, { adapter: "software", batch: 128 });
    expect(constant(sum, "PARTS")).toBe(1);
    expect(sum.workgroups).toEqual([2, 1, 1]);
    expect(sum.shader.code).not.toContain("workgroupBarrier");
  });

  it("is shared by at most 64, a whole workgroup", () => {
    for (const slices of [256, 512]) expect(constant(filterGradient(slices, { batch: 128 })[1], "PARTS")).toBe(64);
  });
});
