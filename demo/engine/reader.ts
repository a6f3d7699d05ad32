// What the network makes of one image, layer by layer, and the weights behind a single unit.

import { createProbe, type Probe, tensor } from "../../src/index.ts";
import { IMAGE_SHAPE, type LayerSpec, type NetworkSpec } from "../network.ts";
import type { Session } from "./session.ts";

/** What a layer put out for the image, row-major. */
export interface LayerView {
  readonly name: string;
  readonly spec: LayerSpec;
  /** [height, width, channels] or [units] */
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** What one unit of a layer, a feature map or a neuron, multiplies its inputs by. */
export interface UnitWeights {
  /** [kernel height, kernel width, channels] or [inputs], row-major. */
  readonly kernel: Float32Array;
  readonly bias: number;
}

export function createReader(session: Session) {
  let probe: Promise<Probe> | undefined;
  session.onModel(() => {
    probe = undefined; // It went with its model.
  });

  /** The session's network or, where nobody has trained it, one of this description. */
  function model(spec: NetworkSpec) {
    session.propose(spec);
    return session.model();
  }

  async function look(pixels: Float32Array, spec: NetworkSpec): Promise<readonly LayerView[]> {
    const reader = await model(spec);
    probe ??= createProbe(reader);
    probe.catch(() => {
      probe = undefined; // The next call tries again.
    });
    const looking = await probe;
    looking.run(tensor(pixels, [1, ...IMAGE_SHAPE]));
    const outputs = await looking.read();
    const { layers } = session.spec!;
    return [...outputs].map(([name, { shape, data }], i) => ({
      name,
      spec: layers[i]!,
      shape: shape.slice(1),
      data,
    }));
  }

  return {
    /**
     * Shows the network an image, on its weights of this moment.
     *
     * @param pixels 28 x 28 in [0, 1], white ink on black
     */
    look: (pixels: Float32Array, spec: NetworkSpec) => session.gpu.again(() => look(pixels, spec)),

    /** The weights of unit `unit` of the layer of this name, on a network that `look` was called with. */
    async unitWeights(layer: string, unit: number): Promise<UnitWeights> {
      const weights = await session.gpu.again(async () => (await session.model()).getWeights());
      const kernel = weights.find(({ name }) => name === `${layer}/kernel`);
      if (!kernel) throw new Error(`Layer "${layer}" has no weights.`);
      const units = kernel.shape.at(-1)!;
      const bias = weights.find(({ name }) => name === `${layer}/bias`);
      return {
        kernel: Float32Array.from({ length: kernel.data.length / units }, (_, i) => kernel.data[i * units + unit]!),
        bias: bias?.data[unit] ?? 0,
      };
    },
  };
}
