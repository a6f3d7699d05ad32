import type { OptimizerName, OptimizerSpec } from "../../network.ts";
import { LIMITS, OPTIMIZERS } from "../../network-check.ts";
import { ChoiceKnob, NumberKnob } from "../../ui/knobs.tsx";
import { RateKnob } from "../../ui/rate-knob.tsx";
import { draft } from "./editor.ts";
import { optimizerNamed, withRate } from "./edits.ts";

const NAMES: Record<OptimizerName, string> = { sgd: "SGD", adam: "Adam", rmsprop: "RMSprop", adagrad: "Adagrad" };
const CHOICES = OPTIMIZERS.map((value) => ({ value, label: NAMES[value] }));

/** How the network is going to learn. */
export function TrainingKnobs() {
  const network = draft.network.value;
  const { optimizer, batchSize } = network;
  const change = (next: OptimizerSpec, knob: string) => draft.change({ ...network, optimizer: next }, knob);
  return (
    <div class="knobs">
      <ChoiceKnob
        label="Optimizer"
        value={optimizer.name}
        options={CHOICES}
        onChange={(name) => change(optimizerNamed(name), "optimizer")}
      />
      <RateKnob
        value={optimizer.learningRate}
        onChange={(learningRate) => change(withRate(optimizer, { learningRate }), "learningRate")}
      />
      {optimizer.name === "sgd" && (
        <NumberKnob
          label="Momentum"
          value={optimizer.momentum ?? 0}
          {...LIMITS.momentum}
          step={0.01}
          onChange={(momentum) => change(withRate(optimizer, { momentum }), "momentum")}
        />
      )}
      {optimizer.name === "sgd" && (
        <label class="check">
          <input
            type="checkbox"
            checked={optimizer.nesterov ?? false}
            disabled={!optimizer.momentum}
            onChange={(event) => change(withRate(optimizer, { nesterov: event.currentTarget.checked }), "nesterov")}
          />{" "}
          Nesterov: look a step ahead
        </label>
      )}
      <NumberKnob
        label="Batch size"
        value={batchSize}
        {...LIMITS.batchSize}
        onChange={(size) => draft.change({ ...network, batchSize: size }, "batchSize")}
      />
    </div>
  );
}
