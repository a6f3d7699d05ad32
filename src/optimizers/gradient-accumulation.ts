import { anObject, assertMadeBy, cut, FeaturemapError, knownKeys, positiveInteger, wrong } from "../base/errors.ts";
import type { Add, Op } from "../graph/op.ts";
import type { TensorId } from "../graph/tensor.ts";
import { accumulateGradient } from "../ops/updates/accumulate-gradient.ts";
import { accumulationState } from "../ops/updates/accumulation-state.ts";
import { whenDue } from "../ops/updates/when-due.ts";
import type { Optimizer } from "./optimizer.ts";

export interface GradientAccumulationOptions {
  /** Steps whose gradients make one update, at least 2. */
  readonly steps: number;
}

/** Name of the state that counts updates, among what `begin` gives. */
const SHARED = "accumulation state";

/** Name of the slot that holds the sum of the gradients so far. */
const SLOT = "gradientSum";

/**
 * Makes an optimizer update once in several steps, by the mean of their gradients: Keras's `gradient_accumulation_steps`
 * (`keras/src/optimizers/base_optimizer.py`, and `keras/src/backend/jax/optimizer.py`). It is as if batches were larger, at the memory of
 * small ones. It keeps one sum beside each parameter.
 *
 * - In all other steps the optimizer's kernels return at once. Parameters and slots keep their bits.
 * - The optimizer counts updates, as Adam's bias correction does. A schedule of learning rates counts steps. Both are Keras's.
 * - Gradient transforms, such as clipping, change the mean. Each batch counts alike, a short one too.
 * - The sum is carried on from epoch to epoch, from `fit` to `fit` and through a snapshot. `fit` makes no update of its own at the end.
 * - Constraints run at each step, in Keras too.
 *
 * It takes any optimizer. Its `step` and `begin` must change the GPU's buffers by ops with `updates` only, as all of the library do.
 *
 * @throws FeaturemapError `value` for something that is no optimizer, or one that accumulates already; for an option that is unknown or
 *   out of range
 * @example
 * // Four batches of 8 make one update, as one batch of 32 would.
 * const optimizer = withGradientAccumulation(adam({ transforms: [clipNorm(1)] }), { steps: 4 });
 * await model.compile({ loss: "sparseCategoricalCrossentropy", optimizer });
 * await model.fit(x, y, { batchSize: 8 });
 */
export function withGradientAccumulation(optimizer: Optimizer, options: GradientAccumulationOptions): Optimizer {
  const where = "withGradientAccumulation";
  assertMadeBy(typeof optimizer?.step === "function", optimizer, `${where}: optimizer`, "sgd() and its like");
  knownKeys(options, ["steps"], where);
  const steps = positiveInteger(options.steps, `${where}: steps`, 31);
  if (steps === 1) throw wrong(`${where}: steps`, "be at least 2", steps, "Without it, each step makes an update.");
  if (optimizer.stepsPerUpdate !== undefined)
    throw new FeaturemapError("value", `${where}: optimizer "${cut(optimizer.name)}" accumulates gradients already.`);
  return {
    ...optimizer,
    ...(optimizer.config && { config: { withGradientAccumulation: { steps }, ...optimizer.config } }),
    stepsPerUpdate: steps,
    slots: (shape) => [{ name: SLOT, shape }, ...(optimizer.slots?.(shape) ?? [])],
    accumulate: (call) => {
      const { gradients, state, add } = call;
      const mean = ([path, g]: readonly [string, TensorId]) => {
        const shape = call.shapeOf(g);
        const sum = call.variable({ path: `${path}/${SLOT}`, shape, dtype: "f32", role: "slot", trainable: false });
        return [path, add(accumulateGradient, { state, g, sum }, { steps }).y] as const;
      };
      return new Map([...gradients].map(mean));
    },
    begin: (call) => {
      const { updates } = call.add(accumulationState, { state: call.state }, { steps });
      const shared = optimizer.begin?.(counting(call, updates)) ?? {};
      return { ...anObject(shared, `Optimizer "${cut(optimizer.name)}": begin()`), [SHARED]: updates };
    },
    step: (call) => optimizer.step(counting(call, call.shared[SHARED]!)),
  };
}

/** Gives an optimizer's call under which its state counts updates, and nothing is changed in place unless one is due. */
function counting<Call extends { readonly state: TensorId; readonly add: Add }>(call: Call, updates: TensorId): Call {
  const add = (op: Op, inputs: Readonly<Record<string, TensorId>>, ...attributes: [attributes?: object]) =>
    op?.updates?.length
      ? call.add(whenDue(op), { ...inputs, accumulation: updates }, ...attributes)
      : call.add(op, inputs, ...attributes);
  return { ...call, state: updates, batches: call.state, add: add as Add };
}
