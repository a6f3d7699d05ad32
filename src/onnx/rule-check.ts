// Checks of what an app's own rules hand over, which may be anything.

import { anObject, aWord, cut, FeaturemapError, finiteNumber, listOf, wholeNumber, wrong } from "../base/errors.ts";
import { elements, type Shape, sameShape, showShape } from "../base/shape.ts";
import type { AxisOrder, OnnxAttribute, OnnxConstant } from "./rule.ts";

/** @throws FeaturemapError `value` unless an order names each of some axes once */
export function checkedOrder(order: AxisOrder, axes: number, where: string): AxisOrder {
  const all = Array.from({ length: axes }, (_, axis) => axis);
  if (Array.isArray(order) && sameShape([...order].sort(), all)) return order;
  throw wrong(where, `order the axes ${all.join(", ")}`, order);
}

/**
 * Copies attributes.
 *
 * @throws FeaturemapError `value` for an attribute whose type is not spelt out, or whose value is not of it
 */
export function checkedAttributes(
  attributes: Readonly<Record<string, OnnxAttribute>>,
  where: string,
): Readonly<Record<string, OnnxAttribute>> {
  const checked = ([name, attribute]: [string, OnnxAttribute]) => [name, copyOf(attribute, `${where}: ${cut(name)}`)];
  return Object.fromEntries(Object.entries(anObject(attributes, `${where}: attributes`)).map(checked));
}

function copyOf(attribute: OnnxAttribute, where: string): OnnxAttribute {
  anObject(attribute, where);
  if ("int" in attribute) return { int: wholeNumber(attribute.int, where) };
  if ("ints" in attribute) return { ints: integers(attribute.ints, where) };
  if ("float" in attribute) return { float: finiteNumber(attribute.float, where) };
  if ("floats" in attribute) return { floats: floats(attribute.floats, where) };
  if ("string" in attribute) return { string: aWord(attribute.string, where) };
  throw wrong(where, "be one of { int }, { ints }, { float }, { floats }, { string }", attribute);
}

/**
 * Copies a constant, with its shape spelt out.
 *
 * @throws FeaturemapError `value` for what is no list of numbers; `shape` where there are more or fewer than its shape says
 */
export function checkedConstant(constant: OnnxConstant, where: string): OnnxConstant & { readonly shape: Shape } {
  const at = `${where}: constant()`;
  anObject(constant, at);
  const numbers =
    "ints" in constant
      ? { ints: integers(constant.ints, `${at}: ints`) }
      : { floats: floats(constant.floats, `${at}: floats`) };
  const { length } = numbers.ints ?? numbers.floats;
  const shape = [...listOf(constant.shape ?? [length], `${at}: shape`)];
  if (elements(shape) === length) return { ...numbers, shape };
  throw new FeaturemapError("shape", `${at}: ${length} numbers do not have the shape ${showShape(shape)}.`);
}

const integers = (values: readonly number[], where: string) =>
  listOf(values, where).map((value) => wholeNumber(value, where));

const floats = (values: readonly number[], where: string) =>
  listOf(values, where).map((value) => finiteNumber(value, where));
