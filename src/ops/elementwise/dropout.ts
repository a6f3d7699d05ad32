import source from "../../../shaders/elementwise/dropout.wgsl";
import hashSource from "../../../shaders/lib/hash.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import { keyOf } from "../../base/random.ts";
import { ceilDiv, elements } from "../../base/shape.ts";
import { defineOp, type Op, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach, operand, output } from "../access.ts";

const kernel: Kernel<{ state: "read"; x: "read"; y: "write" }> = source;

interface Attributes {
  readonly rate: number;
  readonly seed: number;
  /** Name of the node whose mask is used. Default: the node itself. */
  readonly maskOf?: string;
}

/** Dropout: y = 0 with the probability `rate`, else x / (1 - rate). The seed, the node's name and the step make the mask. */
export const dropout: Op<"x" | "state", "y", Attributes> = defineOp({
  name: "dropout",
  inputs: ["x", "state"],
  outputs: ["y"],
  attributes: typed<Attributes>(),
  infer: ({ x }) => ({ y: x }),
  gradient: ({ node, gradients: { y: dy }, inputs: { state }, attributes, add }) => ({
    x: add(dropout, { x: dy!, state }, { maskOf: node.name, ...attributes }).y,
  }),
  lower: ({ node, inputs, outputs, attributes: { rate, seed, maskOf = node.name } }) => {
    const SIZE = elements(outputs.y.shape);
    return [
      dispatchEach(kernel, ceilDiv(SIZE, 4), {
        bind: { ...inputs, ...outputs },
        constants: {
          SIZE,
          KEY: keyOf(seed, maskOf),
          DROPPED: Math.floor(rate * 2 ** 32),
          SCALE: 1 / (1 - rate),
        },
        libraries: [operand("x", SIZE), output("y", SIZE), stateSource, hashSource],
      }),
    ];
  },
});
