import { cut, FeaturemapError } from "../base/errors.ts";
import { batchShape, elements, type Shape, sameShape } from "../base/shape.ts";
import type { ColumnRole } from "../data/columns.ts";
import { tensorOf } from "../graph/graph.ts";
import type { Add } from "../graph/op.ts";
import type { Tensor, TensorId } from "../graph/tensor.ts";
import { oneHot } from "../ops/elementwise/one-hot.ts";
import { mixDraws } from "../ops/mix/mix-draws.ts";
import { mixRows } from "../ops/mix/mix-rows.ts";
import type { Augmentation } from "../program/augmentation.ts";
import { portKey } from "../program/builder.ts";
import type { OutputSettings } from "../program/measures.ts";

/** Options of every augmentation of batches. */
export interface MixOptions {
  /** Seed of the draws. `mixUp` and `cutMix` have different draws, also of one seed. Default 0. */
  readonly seed?: number;
}

/** Batch that is mixed: how nodes are added, and what its rows are mixed by. */
export interface Mix {
  readonly add: Add;
  readonly state: TensorId;
  readonly batch: number;
  readonly partners: TensorId;
  readonly weights: TensorId;
  /** Shapes of one sample of each input. */
  readonly inputs: readonly Shape[];
}

/** Adds the change of rows, [batch, ...sample]. `what` names them in errors. */
type Change = (rows: TensorId, sample: Shape, what: string) => TensorId;

interface Mixing {
  /** Name of the function that makes it. */
  readonly where: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>> & { readonly seed: number };
  /** Range of the parameter of Beta. */
  readonly alpha: readonly [low: number, high: number];
  /** Gives the change of inputs, and that of labels that are images, if they are not mixed as others are. */
  changes(mix: Mix): { readonly inputs: Change; readonly images?: Change | undefined };
}

/** Makes an augmentation that mixes each row of a batch with another one. */
export function mixing({ where, name, config, alpha: [low, high], changes }: Mixing): Augmentation {
  return {
    name,
    config,
    stage: (measures) => (builder) => {
      const { state, settings } = builder;
      const { network, capacity: batch } = settings;
      const add = builder.addOf(where);
      const { partners, weights } = add(mixDraws, { state }, { batch, low, high, seed: config.seed });
      const inputs = network.inputs.map(({ shape }) => shape);
      const change = changes({ add, state, batch, partners, weights, inputs });
      const mixed = (x: TensorId) => add(mixRows, { x, partners, weights }).y;
      const replace = (role: ColumnRole, index: number, by: (rows: TensorId) => TensorId) => {
        const key = portKey(role, index);
        const rows = builder.rows.get(key);
        if (rows !== undefined) builder.rows.set(key, by(rows));
      };
      network.inputs.forEach(({ name, shape }, i) => {
        replace("input", i, (rows) => change.inputs(rows, shape, `input "${cut(name)}"`));
      });
      for (const output of measures.outputs) {
        const { index } = output;
        const { shape } = network.outputs[index]!;
        replace("label", index, (rows) => {
          const labels = tensorOf(builder.graph, rows);
          const sample = labels.shape.slice(1);
          if (change.images && sample.length > 1)
            return change.images(rows, sample, `labels of output "${cut(output.name)}"`);
          return mixed(asWeights({ add, batch }, labels, output, shape, where));
        });
        replace("weight", index, mixed);
      }
    },
  };
}

/** Gives labels that can be mixed: rows of weights in place of class numbers. @throws FeaturemapError where the loss wants class numbers */
function asWeights(
  { add, batch }: Pick<Mix, "add" | "batch">,
  { id: x, shape: [, ...shape], dtype }: Tensor,
  { loss }: OutputSettings,
  output: Shape,
  where: string,
): TensorId {
  const isClass = elements(shape) * output.at(-1)! === elements(output) && !sameShape(shape, output);
  if (dtype === "f32" && !isClass) return x;
  if (loss.takesRows) return add(oneHot, { x }, { shape: [batch, ...output] }).y;
  const takes = `class numbers ${batchShape(shape)}, which are never between two classes`;
  const remedy = 'Use loss: "categoricalCrossentropy" with oneHot(y, classes), or "sparseCategoricalCrossentropy"';
  throw new FeaturemapError("value", `${where} mixes labels, but loss "${cut(loss.name)}" takes ${takes}. ${remedy}.`);
}
