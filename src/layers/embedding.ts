import { knownKeys, positiveInteger } from "../base/errors.ts";
import { embedding as embeddingOp } from "../ops/embedding/embedding.ts";
import type { Constraint } from "./define-constraint.ts";
import { defineLayer } from "./define-layer.ts";
import type { Regularizer } from "./define-regularizer.ts";
import { type Initializer, initializerOption } from "./initializers.ts";
import type { Layer } from "./layer.ts";
import { withParts } from "./layer-parts.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions } from "./options.ts";
import { randomUniform } from "./random-initializers.ts";

export interface EmbeddingOptions extends LayerOptions {
  /** Number of indices: they run from 0 to inputDim - 1. Below 2^24. */
  readonly inputDim: number;
  /** Numbers of an index. */
  readonly outputDim: number;
  /** First values of the table. Default: uniform between -0.05 and 0.05. */
  readonly embeddingsInitializer?: Initializer;
  /** What the table adds to the loss, such as `l2()`. Default: nothing. */
  readonly embeddingsRegularizer?: Regularizer;
  /** What the table becomes after each step, such as `maxNorm()`. Default: what it is. */
  readonly embeddingsConstraint?: Constraint;
}

/**
 * Embedding: each index becomes its row of a learned table, Keras's `Embedding` (`keras/src/layers/core/embedding.py`). x [batch, ...] of
 * whole numbers becomes [batch, ..., outputDim], by `embeddings` [inputDim, outputDim]. An index that is none makes a row of NaN, as in
 * Keras on JAX. There is no `maskZero`: no layer here reads masks.
 *
 * The gradient adds up rows in a fixed order, so training repeats to the bit. It looks at all indices of the batch for each row of the
 * table.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range
 * @example
 * sequential([embedding({ inputDim: 1000, outputDim: 16, inputShape: [10] }), globalAveragePooling1d()]);
 */
export function embedding(options: EmbeddingOptions): Layer {
  const where = "embedding";
  knownKeys(
    options,
    [
      "inputDim",
      "outputDim",
      "embeddingsInitializer",
      "embeddingsRegularizer",
      "embeddingsConstraint",
      ...LAYER_OPTIONS,
    ],
    where,
  );
  // Indices come as 32-bit floats, which are exact up to there.
  const inputDim = positiveInteger(options.inputDim, `${where}: inputDim`, 24);
  const outputDim = positiveInteger(options.outputDim, `${where}: outputDim`, 31);
  const initializer = initializerOption(
    options.embeddingsInitializer ?? randomUniform(),
    `${where}: embeddingsInitializer`,
  );
  return defineLayer(
    withParts(
      {
        type: "Embedding",
        ...layerOptions(options, where),
        config: { inputDim, outputDim, embeddingsInitializer: initializer },
        variables: () => [{ name: "embeddings", shape: [inputDim, outputDim], initializer }],
        call: ({ input: x, variables: { embeddings }, add }) => add(embeddingOp, { x, table: embeddings! }).y,
      },
      options,
      where,
    ),
  );
}
