import { allocateFloats, arrayType } from "../base/arrays.ts";
import { FeaturemapError, oneOf, show } from "../base/errors.ts";
import { uniform } from "../base/random.ts";
import { elements, type Shape, showShape } from "../base/shape.ts";

export const INITIALIZERS = ["glorotUniform", "heUniform", "zeros", "ones"] as const;

/**
 * Name, or function that makes the numbers of a parameter out of its shape and a seed. Keras's other initializers are functions, which
 * only those who import them ship: `heNormal()`, `truncatedNormal({ stddev: 0.02 })`.
 */
export type Initializer = (typeof INITIALIZERS)[number] | ((shape: Shape, seed: number) => Float32Array);

export function initializerOption(value: unknown, where: string): Initializer {
  return typeof value === "function" ? (value as Initializer) : oneOf(value, INITIALIZERS, where);
}

/** Name, or function that makes whole numbers out of a shape and a seed. */
export type WordInitializer = "zeros" | "ones" | ((shape: Shape, seed: number) => Uint32Array);

export function wordInitializerOption(value: unknown, where: string): WordInitializer {
  return typeof value === "function" ? (value as WordInitializer) : oneOf(value, ["zeros", "ones"], where);
}

/** Makes the first values of whole numbers. */
export function initializeWords(initializer: WordInitializer, shape: Shape, seed: number): Uint32Array {
  const count = elements(shape);
  if (typeof initializer !== "function") return new Uint32Array(count).fill(initializer === "ones" ? 1 : 0);
  const values = initializer(shape, seed);
  if (arrayType(values) === "Uint32Array" && values.length === count) return values;
  const wanted = `a Uint32Array of ${count} numbers for shape ${showShape(shape)}`;
  throw new FeaturemapError("shape", `An initializer must return ${wanted}, got ${show(values)}.`);
}

/** Makes a parameter's first values. */
export function initialize(initializer: Initializer, shape: Shape, seed: number): Float32Array {
  if (typeof initializer === "function") return checked(initializer(shape, seed), shape);
  const [fanIn, fanOut] = fans(shape);
  switch (initializer) {
    case "zeros":
      return allocateFloats(elements(shape), "zeros");
    case "ones":
      return allocateFloats(elements(shape), "ones").fill(1);
    case "glorotUniform": // Glorot and Bengio 2010
      return uniformWithin(Math.sqrt(6 / (fanIn + fanOut)), shape, seed);
    case "heUniform": // He et al. 2015
      return uniformWithin(Math.sqrt(6 / fanIn), shape, seed);
    default:
      throw new Error(`no initializer ${initializer satisfies never}`);
  }
}

/** Counts the inputs and outputs that a weight of this shape connects, as Keras does: positions times channels. */
export function fans(shape: Shape): [number, number] {
  const receptive = elements(shape.slice(0, -2));
  return [receptive * (shape.at(-2) ?? shape[0]!), receptive * shape.at(-1)!];
}

function uniformWithin(limit: number, shape: Shape, seed: number): Float32Array {
  return allocateFloats(elements(shape), "parameters").map((_, i) => (2 * uniform(seed, i) - 1) * limit);
}

function checked(values: Float32Array, shape: Shape): Float32Array {
  if (arrayType(values) === "Float32Array" && values.length === elements(shape)) return values;
  const wanted = `a Float32Array of ${elements(shape)} numbers for shape ${showShape(shape)}`;
  throw new FeaturemapError("shape", `An initializer must return ${wanted}, got ${show(values)}.`);
}
