import { describe, expect, it } from "vitest";
import { clipNorm, clipValue, globalClipNorm, type Optimizer, sgd } from "../../src/index.ts";
import { trainingProgram } from "../../src/program/programs.ts";
import { clipGradients } from "../reference/clipping.ts";
import { failure, networkOf } from "../support/building.ts";
import { expectClose } from "../support/compare.ts";
import { articleLayers } from "../support/models.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";
import { tolerances } from "../support/tolerances.ts";

const KINDS = { clipNorm, clipValue, globalClipNorm };

describe.each(Object.entries(KINDS))("%s", (kind, make) => {
  it("is a transform that its config makes again", () => {
    const option = kind === "clipValue" ? "value" : "norm";
    expect(make(2)).toMatchObject({ name: kind, config: { [option]: 2 } });
    expect(sgd({ transforms: [make(2)] }).transforms).toHaveLength(1);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e39, "1", null, undefined])("refuses %o", (limit) => {
    const { code, message } = failure(() => make(limit as number));
    expect([code, message.startsWith(`${kind}: ${kind === "clipValue" ? "value" : "norm"} must be `)]).toEqual([
      "value",
      true,
    ]);
  });
});

describe("the reference", () => {
  it("has norms of at most the limit, or what was", () => {
    // What Keras 3.15.1 on JAX makes of them.
    expectClose(clipGradients("clipNorm", 1, [[3, 4]])[0]!, [0.6, 0.8], tolerances.float64, "clipNorm");
    expectClose(
      clipGradients("globalClipNorm", 1, [[3], [4]]).map(([g]) => g!),
      [0.6, 0.8],
      tolerances.float64,
      "global",
    );
    expect(clipGradients("clipNorm", 1, [[0.3, 0.4]])[0]).toEqual(Float64Array.of(0.3, 0.4));
    const [nan, inf] = [Number.NaN, Number.POSITIVE_INFINITY];
    expect(clipGradients("clipNorm", 1, [[inf, 1]])[0]).toEqual(Float64Array.of(nan, 0));
    expect(clipGradients("globalClipNorm", 1, [[inf, 1]])[0]).toEqual(Float64Array.of(nan, nan));
    expect(clipGradients("clipNorm", 1, [[1e20, 1e20]])[0]).toEqual(Float64Array.of(0, 0));
    expect(clipGradients("clipValue", 1, [[nan, -inf, 0.5]])[0]).toEqual(Float64Array.of(nan, -1, 0.5));
  });
});

describe("a training step of the article's network", () => {
  const network = networkOf(articleLayers());
  const kernelsOf = (optimizer: Optimizer, adapter: "software" | "gpu") => {
    const program = trainingProgram({
      network,
      capacity: 32,
      columns: inputsOf(network),
      adapter,
      choices: {},
      measures: measuresOf(network),
      optimizer,
      unmerged: true,
    });
    return program.plan.steps.map(({ kernel }) => kernel);
  };
  const count = (kernels: readonly string[], kernel: string) => kernels.filter((each) => each === kernel).length;

  it.each(["software", "gpu"] as const)("steps no parameter in a gradient's kernel where it clips: %s", (adapter) => {
    expect(count(kernelsOf(sgd(), adapter), "sgd")).toBe(0);
    const byValue = kernelsOf(sgd({ transforms: [clipValue(1)] }), adapter);
    expect([count(byValue, "clip_value"), count(byValue, "sgd")]).toEqual([8, 8]);
    const all = kernelsOf(sgd({ transforms: [globalClipNorm(1)] }), adapter);
    // Two nodes add up what is of 8 gradients.
    const counts = ["square_sum", "clip_factor", "scale_by", "sgd"].map((kernel) => count(all, kernel));
    expect(counts).toEqual([8, 2, 8, 8]);
    const alone = kernelsOf(sgd({ transforms: [clipNorm(1)] }), adapter);
    expect(["square_sum", "clip_factor", "scale_by", "sgd"].map((kernel) => count(alone, kernel))).toEqual([
      8, 8, 8, 8,
    ]);
  });
});
