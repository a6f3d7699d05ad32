/** Expressions, broadcasts and reductions in float64, by plain loops. */

import type { Expression, FunctionName } from "../../src/ops/pointwise/functions.ts";

const flag = (condition: boolean) => (condition ? 1 : 0);
const carrying = (a: number, b: number, result: number) => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : result);

/** The error function by its series, DLMF 7.6.2, whose terms are all of one sign. */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  if (Math.abs(x) > 5) return Math.sign(x) * (1 - erfc(Math.abs(x)));
  let [sum, term] = [x, x];
  for (let n = 1; n < 200; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** 1 - erf x; from 2 on by the continued fraction, DLMF 7.9.1. */
export function erfc(x: number): number {
  if (!(x > 2)) return 1 - erf(x);
  let tail = x;
  for (let n = 200; n > 0; n--) tail = x + n / 2 / tail;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / tail;
}

/** Functions by their names in expressions. */
export const FUNCTIONS: Readonly<Record<FunctionName, (...args: number[]) => number>> = {
  abs: Math.abs,
  add: (a, b) => a! + b!,
  divide: (a, b) => a! / b!,
  elu: (x) => (x! > 0 ? x! : Math.expm1(x!)),
  equal: (a, b) => flag(a === b),
  erf: (x) => erf(x!),
  erfc: (x) => erfc(x!),
  exp: Math.exp,
  expm1: Math.expm1,
  floor: Math.floor,
  greater: (a, b) => flag(a! > b!),
  greaterEqual: (a, b) => flag(a! >= b!),
  leakyRelu: (x) => (x! <= 0 ? 0.2 * x! : x!),
  less: (a, b) => flag(a! < b!),
  lessEqual: (a, b) => flag(a! <= b!),
  log: Math.log,
  log1p: Math.log1p,
  maximum: Math.max,
  minimum: Math.min,
  multiply: (a, b) => a! * b!,
  negative: (x) => -x!,
  passed: (dy, d) => (dy === 0 ? 0 : dy! * d!),
  // IEEE's pow(1, NaN) is 1; Keras's on JAX is, too. A NaN stays one here.
  power: (a, b) => (b === 0 ? 1 : carrying(a!, b!, a! ** b!)),
  relu: (x) => (Number.isNaN(x) ? x! : Math.max(x!, 0)),
  round: (x) => roundToEven(x!),
  sigmoid: (x) => 1 / (1 + Math.exp(-x!)),
  sign: Math.sign,
  softplus: (x) => Math.max(x!, 0) + Math.log1p(Math.exp(-Math.abs(x!))),
  sqrt: Math.sqrt,
  square: (x) => x! * x!,
  subtract: (a, b) => a! - b!,
  tanh: Math.tanh,
  where: (c, a, b) => (c !== 0 ? a! : b!),
};

function roundToEven(x: number): number {
  const nearest = Math.round(x);
  return Math.abs(nearest - x) === 0.5 ? 2 * Math.round(x / 2) : nearest;
}

/** Value of an expression, for the inputs' values. */
export function evaluate(expression: Expression, inputs: Readonly<Record<string, number>>): number {
  if (typeof expression === "number") return Math.fround(expression);
  if (typeof expression === "string") return inputs[expression]!;
  const [name, ...args] = expression;
  return FUNCTIONS[name](...args.map((arg) => evaluate(arg, inputs)));
}

export interface Operand {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Indices along each axis of an element. */
function placeOf(element: number, shape: readonly number[]): number[] {
  const place: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    place[axis] = element % shape[axis]!;
    element = Math.floor(element / shape[axis]!);
  }
  return place;
}

function elementAt(place: readonly number[], shape: readonly number[]): number {
  const own = place.slice(place.length - shape.length);
  return shape.reduce((element, size, axis) => element * size + (size === 1 ? 0 : own[axis]!), 0);
}

/** Values of an expression at each element of the whole, [..whole]. */
export function pointwise(
  expression: Expression,
  inputs: Readonly<Record<string, Operand>>,
  whole: readonly number[],
): Float64Array {
  return new Float64Array(count(whole)).map((_, element) => {
    const place = placeOf(element, whole);
    const values = Object.entries(inputs).map(([name, { shape, values }]) => [name, values[elementAt(place, shape)]!]);
    return evaluate(expression, Object.fromEntries(values));
  });
}

/** Sum, mean, maximum or minimum of values along axes. The axes that stay keep their order. */
export function reduce(
  values: ArrayLike<number>,
  whole: readonly number[],
  axes: readonly number[],
  kind: "sum" | "mean" | "max" | "min",
): Float64Array {
  const kept = whole.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const groups = Array.from({ length: count(kept) }, (): number[] => []);
  for (let element = 0; element < values.length; element++)
    groups[elementAt(placeOf(element, whole), kept)]!.push(values[element]!);
  const sum = (of: number[]) => of.reduce((a, b) => a + b, 0);
  return Float64Array.from(groups, (of) => {
    if (kind === "max") return of.reduce((a, b) => Math.max(a, b));
    if (kind === "min") return of.reduce((a, b) => Math.min(a, b));
    return kind === "sum" ? sum(of) : sum(of) / of.length;
  });
}
