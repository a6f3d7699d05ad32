import { elements, type Shape } from "../base/shape.ts";
import { STAGING } from "../gpu/buffers.ts";
import type { Runtime } from "../gpu/runtime.ts";

/** A look at a model's parameters, for NaN and Infinity, that rides in a submit of another's. */
export interface ParameterLook {
  record(encoder: GPUCommandEncoder): void;
  /** Name of the last parameter that is not finite, once what was recorded is submitted; none where nothing was recorded. */
  badParameter(): Promise<string | undefined>;
  release(): void;
}

/** @throws FeaturemapError `limit` where the GPU has no room for a staging buffer */
export async function parameterLook(of: {
  readonly runtime: Runtime;
  readonly parameters: readonly { readonly path: string; readonly shape: Shape }[];
  readonly buffers: readonly GPUBuffer[];
}): Promise<ParameterLook> {
  const { runtime, parameters, buffers } = of;
  const bytes = Math.max(
    4,
    buffers.reduce((sum, { size }) => sum + size, 0),
  );
  const { buffer: staging, release } = await runtime.buffers.createOne({ label: "look", bytes, usage: STAGING });
  let recorded = false;
  return {
    record: (encoder) => {
      let at = 0;
      for (const buffer of buffers) {
        encoder.copyBufferToBuffer(buffer, 0, staging, at, buffer.size);
        at += buffer.size;
      }
      recorded = true;
    },
    badParameter: async () => {
      if (!recorded) return undefined;
      await runtime.completions.mapped(staging);
      const values = new Float32Array(staging.getMappedRange());
      let at = 0;
      const finite = parameters.map(({ shape }) => {
        const begin = at;
        at += elements(shape);
        return values.subarray(begin, at).every((value) => Number.isFinite(value));
      });
      return parameters[finite.lastIndexOf(false)]?.path;
    },
    release,
  };
}
