import { denseCrossEntropyOps } from "../ops/dense-cross-entropy.ts";
import { type Loss, type LossName, lossNamed } from "./losses.ts";

/**
 * A loss whose end of a classifier is one kernel on a GPU: the last dense layer, of at most 32 units and without an activation but
 * softmax, cross-entropy, and the gradients of both. `compile({ loss: fusedHead("categoricalCrossentropy") })` spares one or
 * two dispatches a step; on software adapters nothing changes.
 *
 * @throws FeaturemapError `value` for a name that is no loss
 */
export function fusedHead(name: LossName): Loss {
  const loss = lossNamed(name);
  return { ...loss, ops: [...loss.ops!, ...denseCrossEntropyOps] };
}
