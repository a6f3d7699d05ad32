// Models of expressions, and of layers that are made of them, for `npm run test:onnx`.

import * as featuremap from "../../../src/index.ts";
import { defineLayer, input, type Layer, type Model, model, ops, type SymbolicTensor } from "../../../src/index.ts";
import { FUNCTIONS, type FunctionName } from "../../../src/ops/pointwise/functions.ts";
import { type NamedTolerance, sumTolerance, tolerances } from "../../support/tolerances.ts";
import type { OnnxCase } from "./onnx-case.ts";

/** What each function gets: x^2 + 0.5 is above 0, so that each has a value. */
function functionLayer(name: FunctionName): Layer {
  const above: ops.Expression = ["add", ["square", "x"], 0.5];
  const args: ops.Expression[] = [above, ["subtract", above, 0.25], "x"];
  const expression = [name, ...args.slice(0, FUNCTIONS[name].arity)] as unknown as ops.Expression;
  return defineLayer({ type: "Function", call: ({ input: x, add }) => ops.evaluated(add, expression, { x }) });
}

function reductionLayer(kind: ops.Reduction["kind"], axes: readonly number[], keepDims: boolean): Layer {
  const reduction = { kind, axes, keepDims };
  return defineLayer({
    type: "Reduction",
    call: ({ input: x, add }) => ops.evaluated(add, ["tanh", "x"], { x }, { reduction }),
  });
}

function several(
  name: string,
  outputs: (x: SymbolicTensor) => Record<string, SymbolicTensor>,
  tolerance: NamedTolerance = tolerances.elementwise,
): OnnxCase {
  const x = input({ shape: [4, 6, 8] });
  const made = model({ inputs: x, outputs: outputs(x) }) as Model<unknown>;
  return { name, model: made, tolerance };
}

/** Made anew by each call: a model is compiled once. */
export function expressionCases(): OnnxCase[] {
  const names = Object.keys(FUNCTIONS) as FunctionName[];
  return [
    several("every function of expressions", (x) =>
      Object.fromEntries(names.map((name) => [name, functionLayer(name)(x)])),
    ),
    several(
      "reductions",
      (x) => ({
        sum: reductionLayer("sum", [3], false)(x),
        mean: reductionLayer("mean", [1, 2], true)(x),
        max: reductionLayer("max", [2], false)(x),
        min: reductionLayer("min", [1, 3], false)(x),
      }),
      sumTolerance(4 * 6 * 8),
    ),
    several("every activation that is a value", (x) => {
      const { celu, elu, exponential, gelu, hardShrink, hardSigmoid, hardSilu, hardTanh, leakyRelu } = featuremap;
      const { logSigmoid, logSoftmax, mish, relu, relu6, selu, silu, softmax, softShrink, softsign } = featuremap;
      const { sparsemax, sparsePlus, sparseSigmoid, squareplus, tanhShrink } = featuremap;
      const plain = { celu, elu, exponential, gelu, hardShrink, hardSigmoid, hardSilu, hardTanh, leakyRelu };
      const more = { logSigmoid, logSoftmax, mish, relu, relu6, selu, silu, softmax, softShrink, softsign };
      const all = Object.values({ ...plain, ...more, sparsemax, sparsePlus, sparseSigmoid, squareplus, tanhShrink });
      const values = [...all.map((made) => made()), gelu({ approximate: true }), softmax({ axis: 1 })];
      return Object.fromEntries(values.map((activation, i) => [`a${i}`, featuremap.activation({ activation })(x)]));
    }),
    several(
      "layers made of expressions",
      (x) => {
        const { concatenate, conv2d, cropping2d, globalAveragePooling2d, globalMaxPooling2d } = featuremap;
        const { groupNormalization, layerNormalization, permute, pRelu, rescaling, reshape } = featuremap;
        const { batchNormalization, dense, dot, embedding, normalization, rmsNormalization, unitNormalization } =
          featuremap;
        const { add, average, maximum, minimum, multiply, subtract, upSampling2d, zeroPadding2d } = featuremap;
        const y = conv2d({ filters: 8, kernelSize: 1 })(x);
        const merges = { add, average, maximum, minimum, multiply, subtract };
        return {
          ...Object.fromEntries(Object.entries(merges).map(([name, layer]) => [name, layer()([x, y])])),
          joined: concatenate({ axis: 1 })([x, y, x]),
          cropped: cropping2d({
            cropping: [
              [0, 1],
              [2, 1],
            ],
          })(y),
          padded: zeroPadding2d({ padding: 2 })(y),
          larger: upSampling2d({ size: [2, 3] })(y),
          turned: permute({ dims: [3, 1, 2] })(y),
          shaped: reshape({ targetShape: [-1, 4] })(y),
          mean: globalAveragePooling2d({ keepdims: true })(y),
          largest: globalMaxPooling2d()(y),
          layer: layerNormalization({ axis: [1, -1] })(y),
          group: groupNormalization({ groups: 4 })(y),
          rows: batchNormalization({ axis: 1 })(y),
          root: rmsNormalization({ axis: [1, -1] })(y),
          unit: unitNormalization({ axis: [1, 2] })(y),
          products: dot({ axes: [1, 1], normalize: true })([y, x]),
          entries: embedding({ inputDim: 3, outputDim: 5 })(globalAveragePooling2d()(y)),
          given: normalization({ mean: [1, 2, 3, 4, 5, 6, 7, 8], variance: [1, 2, 3, 4, 5, 6, 7, 8] })(y),
          adapted: normalization({ axis: [1, 3], invert: true })(y),
          channels: dense({ units: 5, activation: "tanh" })(y),
          scaled: rescaling({ scale: 2, offset: 1 })(y),
          learned: pRelu({ alphaInitializer: "ones", sharedAxes: [1, 2] })(y),
        };
      },
      sumTolerance(4 * 6 * 8),
    ),
  ];
}
