import { aFunction, anObject, aWord, FeaturemapError } from "../base/errors.ts";
import { buildLayer } from "./call-layer.ts";
import {
  type AnyLayer,
  isSymbolic,
  type Layer,
  type LayerOutputs,
  type LayerSpec,
  type SymbolicTensor,
  subject,
  symbolicOutputs,
} from "./layer.ts";
import { checkLayer, unnumberedName } from "./layer-check.ts";

/**
 * Makes a layer of an app's own callable, as the library's are. A call builds the layer for its inputs' shapes, so that the shape of what
 * it makes is known, and one that does not suit it is told there.
 *
 * @throws FeaturemapError `value` unless it is an object with a `type` and a `call`
 * @example
 * const double = defineLayer({ type: "Double", call: ({ input, add }) => add(ops.add, { a: input, b: input }).c });
 * const y = double(x);
 * const twice = defineLayer({ type: "Twice", call: ({ input, add }) => [input, add(ops.add, { a: input, b: input }).c] });
 * const [same, doubled] = twice(x);
 */
export function defineLayer<const Outputs extends LayerOutputs>(spec: LayerSpec<Outputs>): Layer<Outputs> {
  const { type, call } = anObject(spec, "defineLayer: layer");
  aWord(type, "defineLayer: type");
  aFunction(call, "defineLayer: call");
  const { name, trainable, ...others } = Object.getOwnPropertyDescriptors(spec);
  return callable({
    // A function has a name of its own.
    name: name ?? { value: undefined },
    // An app may set it, even where what it gave here is frozen.
    ...(trainable && { trainable: { value: spec.trainable, writable: true, enumerable: true } }),
    ...others,
  });
}

/** Makes a layer that has these properties. */
export function callable<Outputs extends LayerOutputs>(properties: PropertyDescriptorMap): Layer<Outputs> {
  const apply = (input: SymbolicTensor | readonly SymbolicTensor[]) => callOn(layer, input);
  const layer = Object.defineProperties(apply, properties) as unknown as Layer<Outputs>;
  return layer;
}

/** Calls a layer on symbolic tensors. A model names it otherwise, so its messages here have its name without a number. */
function callOn(layer: AnyLayer, input: unknown): SymbolicTensor | readonly SymbolicTensor[] {
  checkLayer(layer);
  const name = unnumberedName(layer);
  const inputs = symbolicInputs(input, subject(layer.type, name));
  const shapes = inputs.map(({ shape }) => shape);
  const place = { name, input: shapes[0]!, inputs: shapes, from: nameOf(inputs[0]!) };
  const { outputShapes, isList } = buildLayer(layer, place);
  const outputs = symbolicOutputs(layer, inputs, outputShapes);
  return isList ? outputs : outputs[0]!;
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
