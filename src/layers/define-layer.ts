import { aFunction, anObject, aWord, FeaturemapError } from "../base/errors.ts";
import { buildLayer } from "./call-layer.ts";
import { isSymbolic, type Layer, type LayerSpec, type SymbolicTensor, subject, symbolicTensor } from "./layer.ts";
import { checkLayer, unnumberedName } from "./layer-check.ts";

/**
 * Makes a layer of an app's own callable, as the library's are. A call builds the layer for its inputs' shapes, so that the shape of what
 * it makes is known, and one that does not suit it is told there.
 *
 * @throws FeaturemapError `value` unless it is an object with a `type` and a `call`
 * @example
 * const double = defineLayer({ type: "Double", call: ({ input, add }) => add(ops.add, { a: input, b: input }).c });
 * const y = double(x);
 */
export function defineLayer(spec: LayerSpec): Layer {
  const { type, call } = anObject(spec, "defineLayer: layer");
  aWord(type, "defineLayer: type");
  aFunction(call, "defineLayer: call");
  const apply = (input: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor => callOn(layer, input);
  const { name, trainable, ...others } = Object.getOwnPropertyDescriptors(spec);
  const properties = {
    // A function has a name of its own.
    name: name ?? { value: undefined },
    // An app may set it, even where what it gave here is frozen.
    ...(trainable && { trainable: { value: spec.trainable, writable: true, enumerable: true } }),
    ...others,
  };
  const layer = Object.defineProperties(apply, properties) as Layer;
  return layer;
}

/** Calls a layer on symbolic tensors. A model names it otherwise, so its messages here have its name without a number. */
function callOn(layer: LayerSpec, input: unknown): SymbolicTensor {
  checkLayer(layer);
  const name = unnumberedName(layer);
  const inputs = symbolicInputs(input, subject(layer.type, name));
  const shapes = inputs.map(({ shape }) => shape);
  const { outputShape } = buildLayer(layer, { name, input: shapes[0]!, inputs: shapes, from: nameOf(inputs[0]!) });
  return symbolicTensor({ layer, inputs, shape: outputShape });
}

function symbolicInputs(input: unknown, layer: string): readonly SymbolicTensor[] {
  const inputs: readonly unknown[] = Array.isArray(input) ? [...input] : [input];
  const wrong = inputs.length === 0 || inputs.some((one) => !isSymbolic(one));
  if (!wrong) return inputs as readonly SymbolicTensor[];
  const takes = "symbolic tensors, from input({ shape }) or another layer";
  throw new FeaturemapError("value", `${layer} is called on ${takes}. Numbers go to predict().`);
}

/** Names an input, or the layer that makes a tensor. */
function nameOf({ layer, name }: SymbolicTensor): string {
  return layer ? unnumberedName(layer) : (name ?? "input");
}
