import { aWord, cut, FeaturemapError, flag, knownKeys, show, tagOf, wrong } from "../base/errors.ts";
import { sameShape, showShape } from "../base/shape.ts";
import { isSymbolic, type Layer, type SymbolicTensor } from "../layers/layer.ts";
import type { Symbolics } from "../network/functional.ts";
import type { BuiltLayer, Network } from "../network/network.ts";
import { type AnyModel, handleOf, networkIn } from "./get-layer.ts";
import { INTERNALS } from "./internals.ts";
import type { Model } from "./model.ts";
import type { Prediction } from "./run-types.ts";

/** What a nested model gives: a symbolic tensor where the model predicts one thing, or one for each output by name. */
export type NestedOutputs<P> = P extends Prediction ? SymbolicTensor : { readonly [Name in keyof P]: SymbolicTensor };

/** Model that is called as a layer. */
export interface NestedModel<P = Prediction> {
  /** Calls it on what the model takes: a symbolic tensor, a list of them, or several by the names of its inputs. */
  (inputs: Symbolics): NestedOutputs<P>;
  /** First part of its layers' names. */
  readonly name: string;
  /** Layers as they are in the model around it: `base/conv2d`. */
  readonly layers: readonly Layer[];
  /** Whether its layers are learned. If it is true each layer's own `trainable` counts. Both are read when a model is compiled. */
  trainable: boolean;
}

export interface NestedOptions {
  /** First part of the layers' names. Default: the model's name. */
  readonly name?: string;
  /** Default true. */
  readonly trainable?: boolean;
}

/**
 * Makes a layer out of a model, so that models nest: Keras's `base(x)`. The model around it has all its layers, under names like
 * `base/conv2d`, and begins with the weights that it has when the one around it is compiled. Calls of the same nested model share
 * their weights.
 *
 * @throws FeaturemapError `value` for an option that is wrong; `state` where the model's input's shape is not known yet. When it is called,
 *   `value` and `shape` for what the model does not take
 * @example
 * const base = asLayer(trained, { name: "base", trainable: false });
 * const x = input({ shape: [28, 28, 1] });
 * const mine = model({ inputs: x, outputs: dense({ units: 3, activation: "softmax" })(base(x)) });
 */
export function asLayer<P = Prediction>(model: Model<P>, options: NestedOptions = {}): NestedModel<P> {
  const where = "asLayer";
  const network = networkIn(model, where);
  knownKeys(options, ["name", "trainable"], where);
  const name = aWord(options.name ?? model.name, `${where}: name`);
  let trainable = flag(options.trainable ?? true, `${where}: trainable`);
  const handles = new Map<BuiltLayer, Layer>(
    network.layers.map((built) => {
      const own = { name: `${name}/${built.name}`, frozen: () => !trainable };
      return [built, handleOf(model as AnyModel, built, own)];
    }),
  );
  const isSingle = model[INTERNALS].architecture.isSingle;
  const apply = (inputs: Symbolics): NestedOutputs<P> => {
    const values = inputsFor(network, inputs, `Model "${cut(name)}"`);
    for (const { built, inputs, outputs } of network.uses) {
      const made = [handles.get(built)!(inputs.map((value) => values[value]!))].flat();
      outputs.forEach(({ value }, i) => {
        values[value] = made[i]!;
      });
    }
    const ends = network.outputs.map(({ name, value }) => [name, values[value]!] as const);
    return (isSingle ? ends[0]![1] : Object.fromEntries(ends)) as NestedOutputs<P>;
  };
  return Object.defineProperties(apply, {
    name: { value: name },
    layers: { value: [...handles.values()] },
    trainable: {
      enumerable: true,
      get: () => trainable,
      set: (value: unknown) => {
        trainable = flag(value, `Model "${cut(name)}": trainable`);
      },
    },
  }) as unknown as NestedModel<P>;
}

/** Finds the value of each input of a network among what it is called on. */
function inputsFor({ inputs }: Network, given: Symbolics, where: string): SymbolicTensor[] {
  const wanted = inputs.map(({ name }) => name);
  const takes = inputs.length === 1 ? "a symbolic tensor" : `${inputs.length} symbolic tensors: ${show(wanted)}`;
  const list: readonly unknown[] = isSymbolic(given)
    ? [given]
    : Array.isArray(given)
      ? Array.from({ length: Math.min(given.length, inputs.length + 1) }, (_, i) => given[i] as unknown)
      : tagOf(given) === "Object"
        ? wanted.map((name) => (given as Readonly<Record<string, unknown>>)[name])
        : [];
  const spare = tagOf(given) === "Object" && !isSymbolic(given) ? Object.keys(given).length - inputs.length : 0;
  if (list.length !== inputs.length || spare > 0 || !list.every(isSymbolic))
    throw wrong(where, `be called on ${takes}`, given, "input({ shape }) and layers give them.");
  return list.map((tensor, i) => {
    const { name, shape } = inputs[i]!;
    if (sameShape(tensor.shape, shape)) return tensor;
    const message = `takes ${showShape(shape)} a sample at its input "${cut(name)}", got ${showShape(tensor.shape)}`;
    throw new FeaturemapError("shape", `${where} ${message}.`);
  });
}
