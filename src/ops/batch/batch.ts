import advanceSource from "../../../shaders/batch/advance.wgsl";
import gatherSource from "../../../shaders/batch/batch_gather.wgsl";
import scatterSource from "../../../shaders/batch/batch_scatter.wgsl";
import metricsSource from "../../../shaders/batch/lib/metrics.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import { ceilDiv, elements, type Shape } from "../../base/shape.ts";
import { defineOp } from "../../graph/op.ts";
import { dispatch, type Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach, output } from "../access.ts";

const gatherKernel: Kernel<{
  state: "read";
  order: "read?";
  source_x: "read";
  source_y: "read?";
  x: "write";
  y: "write?";
}> = gatherSource;

interface GatherAttributes {
  readonly batch: number;
  readonly sampleShape: Shape;
  /** What the labels of one sample look like; none where there are no labels. */
  readonly labelShape?: Shape;
  readonly labelDtype?: "f32" | "u32";
  readonly shuffled: boolean;
  /** Every sample is multiplied by it. */
  readonly scale: number;
  readonly [name: string]: unknown;
}

/** The rows of the step's batch, out of the whole data set. Inputs: state, samples, [labels], [order]. Outputs: x, [y]. */
const batchGather = defineOp<GatherAttributes>({
  name: "batchGather",
  infer: (_, { batch, sampleShape, labelShape, labelDtype }) => {
    const x = { shape: [batch, ...sampleShape], dtype: "f32" } as const;
    return labelShape ? [x, { shape: [batch, ...labelShape], dtype: labelDtype! }] : [x];
  },
  lower: ({ inputs, outputs: [x, y], attributes }) => {
    const { batch, sampleShape, labelShape, shuffled, scale } = attributes;
    const [state, samples, ...rest] = inputs;
    const labels = labelShape ? rest.shift() : undefined;
    const order = shuffled ? rest.shift() : undefined;
    const X_SIZE = elements(sampleShape);
    const Y_SIZE = labelShape ? elements(labelShape) : 0;
    return [
      dispatchEach(gatherKernel, batch * (ceilDiv(X_SIZE, 4) + Y_SIZE), {
        bind: { state: state!, order, source_x: samples!, source_y: labels, x: x!, y },
        constants: {
          BATCH: batch,
          X_SIZE,
          Y_SIZE,
          X_BYTES: samples!.dtype === "u8",
          SHUFFLED: shuffled,
          SCALE: scale,
        },
        libraries: [stateSource, output("x", X_SIZE)],
      }),
    ];
  },
});

const scatterKernel: Kernel<{ state: "read"; y: "read"; rows: "write" }> = scatterSource;

/** Writes the rows of y to their places among all samples'. Inputs: state, y, rows (changed in place). */
const batchScatter = defineOp({
  name: "batchScatter",
  infer: () => [],
  updates: () => [2],
  lower: ({ inputs: [state, y, rows] }) => {
    const count = elements(y!.shape);
    return [
      dispatchEach(scatterKernel, count, {
        bind: { state: state!, y: y!, rows: rows! },
        constants: { BATCH: y!.shape[0]!, SIZE: count / y!.shape[0]! },
        libraries: [stateSource],
      }),
    ];
  },
});

const advanceKernel: Kernel<{ loss: "read?"; correct: "read?"; metrics: "write?"; state: "write" }> = advanceSource;

/**
 * Ends a step: adds the batch's loss and hits to the metrics and moves the state on to the next batch.
 * Inputs: state and, unless there are none, loss, correct, metrics; state and metrics change in place.
 */
const advance = defineOp<{ readonly batch: number }>({
  name: "advance",
  infer: () => [],
  updates: () => [0, 3],
  lower: ({ inputs: [state, loss, correct, metrics], attributes: { batch } }) => [
    dispatch(advanceKernel, {
      bind: { state: state!, loss, correct, metrics },
      constants: { BATCH: batch, HAS_METRICS: metrics !== undefined },
      libraries: [metricsSource, stateSource],
      workgroups: [1, 1, 1],
    }),
  ],
});

export const batchOps = [batchGather, batchScatter, advance];
