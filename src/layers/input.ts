import { knownKeys, optionalText, wrong } from "../base/errors.ts";
import type { Shape } from "../base/shape.ts";
import { type SymbolicTensor, symbolicInput } from "./layer.ts";
import { inputShapeOption } from "./options.ts";

export interface InputOptions {
  /** Shape of one sample, without the batch axis: [28, 28, 1]. */
  readonly shape: Shape;
  /** Name of the data's column. Default: `input`, `input_1` and so on, in the order of `model({ inputs })`. */
  readonly name?: string;
}

/**
 * Makes a symbolic tensor for a model's samples: Keras's `Input`.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or wrong
 * @example
 * const x = input({ shape: [28, 28, 1] });
 * const y = dense({ units: 10, activation: "softmax" })(flatten()(x));
 * const digits = model({ inputs: x, outputs: y });
 */
export function input(options: InputOptions): SymbolicTensor {
  knownKeys(options, ["shape", "name"], "input");
  const shape = inputShapeOption(options.shape, "input: shape");
  if (!shape) throw wrong("input: shape", "be the shape of one sample, e.g. [28, 28, 1]", options.shape);
  return symbolicInput(shape, optionalText(options.name, "input: name"));
}
