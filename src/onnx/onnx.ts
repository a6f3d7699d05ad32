// The package's entry `featuremap/onnx`: what only its users load.

import { aFunction, anObject, cut, knownKeys, oneOf } from "../base/errors.ts";
import { internalsOf } from "../model/internals.ts";
import type { Model } from "../model/model.ts";
import { exportGraph, type OnnxLayout } from "./export-graph.ts";
import { modelBytes } from "./model-proto.ts";
import type { OnnxRule } from "./rule.ts";
import { RULES } from "./rules.ts";

export type { OnnxLayout } from "./export-graph.ts";
export type { AxisOrder, OnnxAttribute, OnnxCall, OnnxConstant, OnnxRule, OrderedTensor } from "./rule.ts";

export interface OnnxOptions {
  /**
   * Layout of the images that go in and come out. `nhwc` (default): the model's own, [N, height, width, channels]. `nchw`: that of
   * most ONNX models, [N, channels, height, width]. Inside, convolutions and poolings are NCHW in either case.
   */
  readonly layout?: OnnxLayout;
  /** Rules for ops of your own, by the ops' names. They win over the library's. */
  readonly rules?: Readonly<Record<string, OnnxRule>>;
}

/**
 * Writes a model as an ONNX file: its inference with the weights of the moment, statistics included, also while `fit` runs. Inputs and
 * outputs have the model's names and 32-bit floats; the batch axis `N` may have any size. Opset 17, IR version 8.
 *
 * Bytes are not scaled in it: a model that was trained on `tensor(bytes, shape, { scale: 1 / 255 })` wants the scaled numbers.
 *
 * @throws FeaturemapError `value` for an unknown or wrong option, for a layer whose op has no rule, and where an input and an output
 *   have one name; `state` where the model is not compiled; `limit` for weights of 2 GiB
 * @example
 * import { toOnnx } from "featuremap/onnx";
 *
 * const bytes = await toOnnx(model);
 * const session = await ort.InferenceSession.create(bytes); // of onnxruntime-web, say
 */
export async function toOnnx<P>(model: Model<P>, options: OnnxOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  const where = "toOnnx";
  knownKeys(options, ["layout", "rules"], where);
  const layout = oneOf(options.layout ?? "nhwc", ["nhwc", "nchw"], `${where}: layout`);
  const own = Object.entries(anObject(options.rules ?? {}, `${where}: rules`));
  for (const [op, rule] of own) aFunction(rule, `${where}: rules: ${cut(op)}`);
  const { network } = await internalsOf(model, where);
  const graph = exportGraph(network, { layout, rules: new Map([...Object.entries(RULES), ...own]) });
  return modelBytes(graph, model.name, await model.getWeights());
}
