import type { Shape } from "../base/shape.ts";
import { insideOf } from "../model/inside.ts";
import type { Sequential } from "../model/sequential.ts";

/** A model's parameter on the GPU: 32-bit floats, row-major. */
export interface ParameterBuffer {
  /** `conv2d/kernel` */
  readonly name: string;
  readonly shape: Shape;
  /** To be bound as `read-only-storage`, or copied from, not written. */
  readonly buffer: GPUBuffer;
}

/**
 * The buffers in which a model keeps its parameters, in the order of `getWeights`, for an app to draw from. Training changes
 * them in place. They last until the model is disposed or compiled again.
 *
 * @throws FeaturemapError `state` where the model is not compiled
 */
export async function parameterBuffers(model: Sequential): Promise<ParameterBuffer[]> {
  const { network, compiled } = await insideOf(model, "parameterBuffers");
  const buffers = compiled.state.parameterBuffers;
  return network.parameters.map(({ path, shape }, i) => ({ name: path, shape, buffer: buffers[i]! }));
}
