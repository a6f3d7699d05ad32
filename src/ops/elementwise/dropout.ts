import source from "../../../shaders/elementwise/dropout.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import { seedOf } from "../../base/random.ts";
import { ceilDiv, elements } from "../../base/shape.ts";
import { defineOp } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach, operand, output } from "../access.ts";

const kernel: Kernel<{ state: "read"; x: "read"; y: "write" }> = source;

type Attributes = {
  readonly rate: number;
  readonly seed: number;
  /** Name of the node whose mask is meant. Default: the node's own. */
  readonly maskOf?: string;
};

/** y = x / (1 - rate), or 0 with the probability `rate`, by the seed, the node's name and the step. Inputs: x, state. */
const dropout = defineOp<Attributes>({
  name: "dropout",
  infer: ([x]) => [x!],
  gradient: ({ node, gradients: [dY], inputs: [, state], attributes, add }) =>
    add("dropout", [dY!, state!], { maskOf: node.name, ...attributes }),
  lower: ({ node, inputs: [x, state], outputs: [y], attributes: { rate, seed, maskOf = node.name } }) => {
    const size = elements(y!.shape);
    return [
      dispatchEach(kernel, ceilDiv(size, 4), {
        bind: { state: state!, x: x!, y: y! },
        constants: {
          SIZE: size,
          KEY: (seedOf(seed, ...Array.from(maskOf, (sign) => sign.codePointAt(0)!)) + 0x9e3779b9) >>> 0,
          DROPPED: Math.floor(rate * 2 ** 32),
          SCALE: 1 / (1 - rate),
        },
        libraries: [operand("x", size), output("y", size), stateSource],
      }),
    ];
  },
});

export const dropoutOps = [dropout];
