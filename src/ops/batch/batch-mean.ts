import source from "../../../shaders/batch/batch_mean.wgsl";
import gradientSource from "../../../shaders/batch/batch_mean_gradient.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { showShape } from "../../base/shape.ts";
import { defineOp, typed } from "../../graph/op.ts";
import { dispatch, type Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";

const gradientKernel: Kernel<{ state: "read"; dy: "read"; dx: "write" }> = gradientSource;

/** Gradient dx of `batchMean`: weight * dy / rows for the rows in use, 0 for the others. */
export const batchMeanGradient = defineOp({
  name: "batchMeanGradient",
  inputs: ["state", "dy"],
  outputs: ["dx"],
  attributes: typed<{ readonly batch: number; readonly weight: number }>(),
  infer: (_, { batch }) => ({ dx: { shape: [batch], dtype: "f32" } }),
  lower: ({ inputs, outputs, attributes: { batch, weight } }) => [
    dispatchEach(gradientKernel, batch, {
      bind: { ...inputs, ...outputs },
      constants: { BATCH: batch, WEIGHT: weight },
      libraries: [stateSource],
    }),
  ],
});

const kernel: Kernel<{ state: "read"; x: "read"; y: "write" }> = source;

/** y = weight * mean of x over the rows in use; x [batch], y [1]. */
export const batchMean = defineOp({
  name: "batchMean",
  inputs: ["state", "x"],
  outputs: ["y"],
  attributes: typed<{ readonly weight: number }>(),
  infer: ({ x }, _, where) => {
    if (x.shape.length === 1) return { y: { shape: [1], dtype: "f32" } };
    throw new FeaturemapError(
      "shape",
      `"${where}" takes a number for each sample, [batch], got ${showShape(x.shape)}.`,
    );
  },
  gradient: ({ gradients, inputs: { x }, attributes: { weight }, state, tensor, add }) => ({
    x: add(batchMeanGradient, { state, dy: gradients.y! }, { batch: tensor(x).shape[0]!, weight }).dx,
  }),
  lower: ({ inputs, outputs, attributes: { weight } }) => [
    dispatch(kernel, {
      bind: { ...inputs, ...outputs },
      constants: { BATCH: inputs.x.shape[0]!, WEIGHT: weight },
      libraries: [stateSource],
      workgroups: [1, 1, 1],
    }),
  ],
});
