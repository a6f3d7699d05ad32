import { architecture } from "../../state/architecture.ts";
import { begun, busy, ending, pauseOrResume, reset, settings, start, state, stop } from "../../state/training.ts";
import { ChoiceKnob, NumberKnob } from "../../ui/knobs.tsx";
import { count } from "../../ui/numbers.ts";
import { RateKnob } from "../../ui/rate-knob.tsx";

const IMAGES = [1024, 4096, 16_384, 60_000];

/** What a run is told, and its buttons. */
export function Controls() {
  const { images, epochs } = settings.value;
  const choices = [...new Set([...IMAGES, images])].sort((a, b) => a - b);
  const paused = state.value === "paused";
  const pausable = (state.value === "training" || paused) && !ending.value;
  const done = begun.value && !busy.value && state.value !== "failed";
  return (
    <>
      <div class="knobs">
        <ChoiceKnob
          label="Training images"
          value={String(images)}
          options={choices.map((number) => ({ value: String(number), label: count(number) }))}
          disabled={busy.value}
          onChange={(value) => {
            settings.value = { ...settings.value, images: Number(value) };
          }}
        />
        <NumberKnob
          label="Epochs (times through all)"
          value={epochs}
          min={1}
          max={100}
          disabled={busy.value}
          onChange={(value) => {
            settings.value = { ...settings.value, epochs: value };
          }}
        />
        <RateKnob
          value={architecture.value.optimizer.learningRate}
          onChange={(learningRate) => {
            const { optimizer } = architecture.value;
            architecture.value = { ...architecture.value, optimizer: { ...optimizer, learningRate } };
          }}
        />
      </div>
      <div class="buttons">
        <Button id="train-start" enabled={!busy.value && !ending.value} onPress={start}>
          {state.value === "failed" ? "Try again" : done ? "Train on" : "Start training"}
        </Button>
        <Button id="train-pause" quiet enabled={pausable} onPress={pauseOrResume}>
          {paused ? "Resume" : "Pause"}
        </Button>
        <Button id="train-stop" quiet enabled={busy.value && !ending.value} onPress={stop}>
          Stop
        </Button>
        <Button id="train-reset" quiet enabled={(begun.value || busy.value) && !ending.value} onPress={reset}>
          Reset
        </Button>
      </div>
    </>
  );
}

/** Keeps the focus where it cannot be pressed. */
function Button(props: { id: string; quiet?: boolean; enabled: boolean; onPress: () => void; children: string }) {
  const { id, quiet, enabled, onPress, children } = props;
  return (
    <button
      type="button"
      id={id}
      class={quiet ? "quiet" : ""}
      aria-disabled={!enabled}
      onClick={() => enabled && onPress()}
    >
      {children}
    </button>
  );
}
