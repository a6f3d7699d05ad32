import { type Callback, checkedCallbacks } from "../training/callback.ts";

/**
 * Makes a callback out of functions: Keras's `LambdaCallback` (`keras/src/callbacks/lambda_callback.py`). Any object with hooks is one;
 * this checks it at once, and copies it.
 *
 * @throws FeaturemapError `value` for a hook that is no function, or has a name that is none
 * @example
 * const counting = lambdaCallback({ onEpochEnd: (epoch, { loss }) => console.log(epoch, loss) });
 */
export function lambdaCallback(hooks: Callback = {}): Callback {
  checkedCallbacks([hooks], "lambdaCallback");
  return { ...hooks };
}
