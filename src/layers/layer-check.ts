import { assertMadeBy, cut, flag, optionalText } from "../base/errors.ts";
import type { AnyLayer } from "./layer.ts";
import { inputShapeOption } from "./options.ts";

/** @throws FeaturemapError `value` unless it is a layer whose name, inputShape and trainable are right */
export function checkLayer(layer: AnyLayer): void {
  const made = typeof layer?.call === "function" && typeof layer.type === "string";
  const optional = made ? [layer.variables, layer.losses] : [];
  const own = made && optional.every((method) => method === undefined || typeof method === "function");
  const one = Array.isArray(layer) ? ", one a call" : "";
  assertMadeBy(
    own && layer.call !== Function.prototype.call,
    layer,
    "A layer",
    `conv2d(), dense() and their like${one}`,
  );
  const type = cut(layer.type);
  optionalText(layer.name, `${type}: name`);
  inputShapeOption(layer.inputShape, `${type}: inputShape`);
  flag(layer.trainable ?? true, `${type}: trainable`);
}

/** Gives the name that a layer has before a model numbers it: its own, or its type's in snake case. */
export function unnumberedName({ name, type }: AnyLayer): string {
  return name ?? snakeCase(type);
}

/** Turns `MaxPooling2D` into `max_pooling2d` and `Conv2DTranspose` into `conv2d_transpose`, as keras/src/utils/naming.py does. */
function snakeCase(type: string): string {
  return type
    .replace(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}
