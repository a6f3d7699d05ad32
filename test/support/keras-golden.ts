import { uniform } from "../../cli/keras/formula.ts";
import { elements } from "../../src/base/shape.ts";
import {
  type CompileOptions,
  FeaturemapError,
  fromConfig,
  type Model,
  type ModelConfig,
  sgd,
} from "../../src/index.ts";
import { expectClose } from "./compare.ts";
import { type KerasTolerance, kerasTolerance } from "./keras-tolerances.ts";

/** Tensor that a closed formula gives: uniform numbers between two bounds, class numbers, or classes as ones among zeros. */
export interface Drawn {
  readonly stream: number;
  readonly shape: readonly number[];
  readonly low?: number;
  readonly high?: number;
  readonly classes?: number;
  readonly oneHot?: true;
}

/** Tensor that Keras computed: all its numbers or, if it is large, its norm and projections. */
export interface Written {
  readonly shape: readonly number[];
  readonly values?: readonly number[];
  readonly norm?: number;
  readonly projections?: readonly number[];
}

/** Part of a model or of `compile` in Keras's words, camelCase. */
export interface Part {
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
}

export type NamedDrawn = Drawn & { readonly name: string };
export type NamedWritten = Written & { readonly name: string };

/** What `test/golden/keras/layers.py` wrote of a layer. */
export interface LayerCase {
  readonly name: string;
  readonly layer: Part;
  readonly inputs: readonly Drawn[];
  /** Weights in Keras's order. */
  readonly weights: readonly NamedDrawn[];
  /** Whether the layer is adapted to its input first. */
  readonly adapt?: true;
  /** Output in inference, and in training where it differs. */
  readonly y: Written;
  readonly yTraining?: Written;
  /** Gradients in training of the sum of y * dy, dy = stream 50. There are none where only inference is compared. */
  readonly dx?: readonly Written[];
  readonly dweights?: readonly Written[];
  /** Statistics after a step of training. */
  readonly statistics?: readonly NamedWritten[];
  /** Ten steps of SGD by the squared error. */
  readonly steps?: {
    readonly rate: number;
    readonly target: Drawn;
    readonly losses: readonly number[];
    readonly weights: readonly NamedWritten[];
  };
}

/** Gives a tensor's numbers, as 32-bit floats. */
export function numbersOf({ stream, shape, low = 0, high = 1, classes, oneHot }: Drawn): Float32Array<ArrayBuffer> {
  if (oneHot) {
    const count = shape.at(-1)!;
    const labels = numbersOf({ stream, shape: shape.slice(0, -1), classes: count });
    return Float32Array.from({ length: elements(shape) }, (_, i) =>
      labels[Math.floor(i / count)] === i % count ? 1 : 0,
    );
  }
  const number = (u: number) => (classes === undefined ? low + (high - low) * u : Math.floor(u * classes));
  return Float32Array.from({ length: elements(shape) }, (_, i) => number(uniform(stream, i)));
}

/**
 * Compares a tensor with Keras's. The tolerance is a share of its largest number or, of a large tensor, of its norm.
 *
 * @returns the largest share of that scale by which they differ
 */
export function expectKeras(got: ArrayLike<number>, want: Written, kind: KerasTolerance, label: string): number {
  const share = kerasTolerance(kind, label);
  const size = elements(want.shape);
  if (got.length !== size) throw new Error(`${label}: got ${got.length} numbers, Keras ${size}.`);
  const [ours, theirs] = want.values ? [got, want.values] : [sumsOf(got), [want.norm!, ...want.projections!]];
  const scale = want.norm ?? theirs.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const atol = share * scale + 2 ** -126;
  return expectClose(ours, theirs, { atol, rtol: 0 }, label).worstShare * share;
}

/** Norm and four projections, as the scripts take them. */
function sumsOf(values: ArrayLike<number>): number[] {
  const sums = [0, 0, 0, 0];
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    squares += values[i]! ** 2;
    for (let j = 0; j < sums.length; j++) sums[j]! += values[i]! * (2 * uniform(1000 + j, i) - 1);
  }
  return [Math.sqrt(squares), ...sums];
}

/** Makes the model of one layer, which is named `golden`. */
export function layerModel({ layer, inputs }: Pick<LayerCase, "layer" | "inputs">): Model {
  const ports = inputs.map(({ shape }, i) => ({ name: `input_${i}`, shape: shape.slice(1) }));
  const config: ModelConfig = {
    className: "Functional",
    version: 1,
    name: "golden_model",
    inputs: ports,
    layers: [{ className: layer.className, config: { ...layer.config, name: "golden" } }],
    uses: [{ layer: "golden", inputs: ports.map((_, i) => i) }],
    outputs: [{ name: "golden", value: ports.length }],
    single: true,
  };
  return fromConfig(config);
}

/**
 * Compiles a model that gives its input back, by an activation: a product with the identity, which is exact. A model is not trained, or
 * evaluated, without parameters.
 */
export async function identityModel(
  { shape: [, ...shape] }: Drawn,
  activation: string | null,
  options: CompileOptions,
): Promise<Model> {
  const channels = shape.at(-1)!;
  const [className, config] =
    shape.length === 1 ? ["Dense", { units: channels }] : ["Conv2D", { filters: channels, kernelSize: 1 }];
  const layers = [
    { className, config: { ...config, useBias: false, inputShape: shape } },
    { className: "Activation", config: { activation: activation ?? "linear" } },
  ];
  const model = fromConfig({ className: "Sequential", version: 1, name: "golden_model", layers });
  await model.compile({ optimizer: sgd(), ...options });
  const identity = Float32Array.from({ length: channels ** 2 }, (_, i) => (i % (channels + 1) === 0 ? 1 : 0));
  await model.setWeights([{ data: identity }]);
  return model;
}

/** Tells whether the library lacks what a case wants: making it throws the library's own error. Other errors are thrown on. */
export function isMissing(make: () => unknown): boolean {
  try {
    make();
    return false;
  } catch (error) {
    if (error instanceof FeaturemapError) return true;
    throw error;
  }
}

/** Names what is missing: a group of which all cases are, else each case. */
export function missing<Case extends { readonly name: string }>(
  cases: readonly Case[],
  groupOf: (one: Case) => string,
  make: (one: Case) => unknown,
): string[] {
  const groups = new Map<string, { readonly all: string[]; readonly gone: string[] }>();
  for (const one of cases) {
    const group = groups.get(groupOf(one)) ?? { all: [], gone: [] };
    groups.set(groupOf(one), group);
    group.all.push(one.name);
    if (isMissing(() => make(one))) group.gone.push(one.name);
  }
  return [...groups].flatMap(([name, { all, gone }]) => (gone.length === all.length ? [name] : gone));
}

/** Gives the cases that the library can run. */
export function present<Case extends { readonly name: string }>(
  cases: readonly Case[],
  make: (one: Case) => unknown,
): Case[] {
  return cases.filter((one) => !isMissing(() => make(one)));
}
