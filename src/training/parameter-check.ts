import { elements } from "../base/shape.ts";
import { STAGING } from "../gpu/buffers.ts";
import type { Runtime } from "../gpu/runtime.ts";
import type { StoredVariable } from "../program/variable-store.ts";

/** Check of a model's parameters for NaN and Infinity. It is recorded into a submit of other work. */
export interface ParameterCheck {
  record(encoder: GPUCommandEncoder): void;
  /** Names the last parameter that is not finite, once the encoder is submitted; `undefined` if nothing was recorded. */
  badParameter(): Promise<string | undefined>;
  release(): void;
}

/** Makes a parameter check. @throws FeaturemapError `limit` where the GPU has no room for a staging buffer */
export async function createParameterCheck(
  runtime: Runtime,
  parameters: readonly StoredVariable[],
): Promise<ParameterCheck> {
  const bytes = Math.max(
    4,
    parameters.reduce((sum, { buffer }) => sum + buffer.size, 0),
  );
  const { buffer: staging, release } = await runtime.buffers.createOne({
    label: "parameter check",
    bytes,
    usage: STAGING,
  });
  let recorded = false;
  return {
    record: (encoder) => {
      let at = 0;
      for (const { buffer } of parameters) {
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
      const finite = parameters.map(({ variable: { shape } }) => {
        const begin = at;
        at += elements(shape);
        return values.subarray(begin, at).every((value) => Number.isFinite(value));
      });
      return parameters[finite.lastIndexOf(false)]?.variable.path;
    },
    release,
  };
}
