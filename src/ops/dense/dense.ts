import filterGradientSource from "../../../shaders/dense/dense_filter_gradient.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { ceilDiv, sameShape, showShape } from "../../base/shape.ts";
import type { Attributes } from "../../graph/graph.ts";
import { defineOp } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { channelsSource, operand } from "../access.ts";
import { type Activation, absorbActivation, absorbActivationGradient } from "../activation/activation.ts";
import { dispatchProduct, matmulDispatch } from "../product/matmul.ts";
import {
  absorbSgd,
  type FilterGradient,
  filterGradientBindings,
  filterGradientSources,
  filterGradients,
  steppedInputs,
} from "../updates/sgd.ts";

/** y = act(x w + b). Inputs: x [batch, in], w [in, out], and, unless it has none, b [out]. */
const dense = defineOp<{ readonly activation?: Activation }>({
  name: "dense",
  infer: ([x, w, b], _, where) => {
    const fits = x!.shape.length === 2 && w!.shape.length === 2 && x!.shape[1] === w!.shape[0];
    if (!fits || (b && !sameShape(b.shape, w!.shape.slice(1)))) {
      const got = `${showShape(x!.shape)}, kernel ${showShape(w!.shape)}${b ? ` and bias ${showShape(b.shape)}` : ""}`;
      throw new FeaturemapError(
        "shape",
        `"${where}" wants x [batch, in], kernel [in, out] and bias [out], got x ${got}.`,
      );
    }
    return [{ shape: [x!.shape[0]!, w!.shape[1]!], dtype: "f32" }];
  },
  gradient: ({ graph, gradients: [dY], inputs: [x, w, b], wanted, add }) => {
    const dX = wanted[0] ? add("denseInputGradient", [dY!, w!])[0] : undefined;
    if (!wanted[1] && !wanted[2]) return [dX];
    const [dW, dB] = add("denseFilterGradient", [x!, dY!, graph.state], { hasBias: b !== undefined });
    return [dX, dW, dB];
  },
  rewrites: [(edit, node) => node.op === "dense" && absorbActivation(edit, node)],
  lower: ({ inputs: [x, w, b], outputs: [y], attributes, tile }) => {
    const product = { m: x!.shape[0]!, n: w!.shape[1]!, k: w!.shape[0]! };
    const bind = { a: x!, b: w!, bias: b, c: y! };
    return [
      matmulDispatch({ ...product, activation: attributes.activation }, tile({ ...product, hoistable: true }), bind),
    ];
  },
});

/** dX = (dY w') * act'(x). Inputs: dY [batch, out], w [in, out], and, with `gradientActivation`, the output that is x. */
const denseInputGradient = defineOp<{ readonly gradientActivation?: Activation }>({
  name: "denseInputGradient",
  infer: ([dY, w]) => [{ shape: [dY!.shape[0]!, w!.shape[0]!], dtype: "f32" }],
  rewrites: [(edit, node) => node.op === "denseInputGradient" && absorbActivationGradient(edit, node)],
  lower: ({ inputs: [dY, w, y], outputs: [dX], attributes: { gradientActivation }, tile }) => {
    const product = { m: dY!.shape[0]!, n: w!.shape[0]!, k: w!.shape[1]! };
    const bind = { a: dY!, b: w!, y, c: dX! };
    return [
      matmulDispatch({ ...product, transposeB: true, gradientActivation }, tile({ ...product, hoistable: true }), bind),
    ];
  },
});

const filterGradientKernel: Kernel<{
  state: "read";
  x: "read";
  dy: "read";
  kernel: "write";
  bias: "write?";
  rate: "read?";
}> = filterGradientSource;

/**
 * dW = x' dY and dB = sum of dY over the rows in use. Inputs: x [batch, in], dY [batch, out], the step's state, and, with
 * `update`, the parameters to step in place of making gradients, and the rate.
 */
const denseFilterGradient = defineOp<FilterGradient & Attributes>({
  name: "denseFilterGradient",
  infer: ([x, dY], attributes) => filterGradients(attributes, [x!.shape[1]!, dY!.shape[1]!]),
  updates: (attributes) => steppedInputs(attributes, 3),
  rewrites: [(edit, node) => node.op === "denseFilterGradient" && absorbSgd(edit, node)],
  lower: ({ inputs: [x, dY, state, ...parameters], outputs, attributes, tile }) => {
    const { hasBias } = attributes;
    const [batch, inputs, units] = [x!.shape[0]!, x!.shape[1]!, dY!.shape[1]!];
    const rows = inputs + (hasBias ? 1 : 0);
    const blocks = { tile: tile({ m: rows, n: units, k: batch }), rows4: ceilDiv(rows, 4), columns: units };
    return [
      dispatchProduct(filterGradientKernel, blocks, {
        bind: { state: state!, x: x!, dy: dY!, ...filterGradientBindings(attributes, parameters, outputs) },
        constants: { BATCH: batch, IN: inputs, OUT: units, HAS_BIAS: hasBias },
        libraries: [
          stateSource,
          channelsSource(4),
          operand("x", inputs),
          operand("dy", units),
          ...filterGradientSources(attributes, units),
        ],
      }),
    ];
  },
});

export const denseOps = [dense, denseInputGradient, denseFilterGradient];
