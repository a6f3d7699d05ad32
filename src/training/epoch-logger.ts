import type { Callback, TrainingParams } from "./callback.ts";

/**
 * Prints a line an epoch, as Keras does with `verbose=2`:
 * `469/469 - 98s - 209ms/step - accuracy: 0.8803 - loss: 0.4721`.
 */
export function epochLogger(): Callback {
  let params: TrainingParams;
  let begun = 0;
  return {
    onTrainBegin: (given) => {
      params = given;
    },
    onEpochBegin: (epoch) => {
      begun = performance.now();
      console.log(`Epoch ${epoch + 1}/${params.epochs}`);
    },
    onEpochEnd: (_, logs) => {
      const ms = performance.now() - begun;
      const { steps = 1 } = params;
      const metrics = Object.entries(logs)
        .sort()
        .map(([name, value]) => ` - ${name}: ${value > 1e-3 ? value.toFixed(4) : value.toExponential(4)}`);
      const time = `${(ms / 1000).toFixed()}s - ${(ms / steps).toFixed()}ms/step`;
      console.log(`${steps}/${steps} - ${time}${metrics.join("")}`);
    },
  };
}
