import type { Shape } from "../base/shape.ts";
import { internalsOf, type WithInternals } from "../model/internals.ts";

/** Parameter of a model on the GPU: 32-bit floats, row-major. */
export interface ParameterBuffer {
  /** Name, as in `getWeights`: `conv2d/kernel`. */
  readonly name: string;
  readonly shape: Shape;
  /** Buffer to bind as `read-only-storage` or to copy from, never to write. */
  readonly buffer: GPUBuffer;
}

/**
 * Gives the buffers in which a model keeps its parameters, in the order of `getWeights`. An app may draw from them. Training changes
 * them in place. They last until the model is disposed or compiled again.
 *
 * @throws FeaturemapError `state` where the model is not compiled
 */
export async function parameterBuffers(model: WithInternals): Promise<ParameterBuffer[]> {
  const { compiled } = await internalsOf(model, "parameterBuffers");
  const stored = compiled.variables.store.weights;
  return stored.map(({ variable, buffer }) => ({ name: variable.path, shape: variable.shape, buffer }));
}
