import type { TrainingState } from "../../engine/training.ts";
import { compiling, ending, failure, loading, outdated, place, points, run, state } from "../../state/training.ts";
import { count, megabytes } from "../../ui/numbers.ts";

const WORDS: Record<TrainingState, string> = {
  idle: "Not started",
  loading: "Loading MNIST",
  compiling: "Compiling the GPU's programs (shaders)",
  training: "Training",
  paused: "Paused",
  finished: "Finished",
  stopped: "Stopped",
  failed: "Failed",
};

/** Where the run stands: in a word, in numbers, as a bar; and what went wrong. */
export function Progress() {
  const share = shareDone();
  const words = ending.value ? "Stopping after the steps under way" : WORDS[state.value];
  return (
    <div class="standing">
      <p>
        <b id="train-state" data-state={state.value} role="status">
          {words}
        </b>{" "}
        <span id="train-place">{details()}</span>
      </p>
      <progress
        id="train-progress"
        aria-label="Progress of the training"
        max={1}
        {...(share === undefined ? {} : { value: share })}
      />
      {outdated.value && (
        <p class="hint" id="train-outdated">
          The network above was changed. Reset to train the new one.
        </p>
      )}
      {failure.value && state.value === "failed" && (
        <div class="message problem" role="alert" id="train-failure" data-code={failure.value.code}>
          <strong>{TITLES[failure.value.code] ?? "Training ended with an error."}</strong>
          <p>{failure.value.message}</p>
          {points.value.length > 0 && <p>Nothing is lost: it goes on where it stopped.</p>}
        </div>
      )}
    </div>
  );
}

const TITLES: Record<string, string> = {
  data: "MNIST could not be loaded.",
  limit: "This network is too large for the adapter, as WebGPU calls the GPU.",
  device: "There is no GPU to train on at the moment.",
  lost: "The GPU was lost, and there is no other to train on.",
  shape: "This network cannot learn these digits.",
};

function shareDone(): number | undefined {
  switch (state.value) {
    case "loading": {
      const { received = 0, total } = loading.value ?? {};
      return total ? received / total : undefined;
    }
    case "compiling":
      return compiling.value ? compiling.value.compiled / compiling.value.total : undefined;
    case "idle":
      return 0;
    default:
      return shareOfRun();
  }
}

function shareOfRun(): number {
  if (!run.value || !place.value) return 0;
  const { epochs, steps } = run.value;
  return (place.value.epoch + place.value.step / steps) / epochs;
}

function details(): string {
  switch (state.value) {
    case "loading":
      return loading.value ? bytes(loading.value) : "";
    case "compiling":
      return compiling.value ? `${compiling.value.compiled} of ${compiling.value.total}` : "";
    case "training":
    case "paused":
      return whereabouts();
    default:
      return "";
  }
}

function bytes({ received, total }: { received: number; total: number | undefined }): string {
  return `${megabytes(received)}${total === undefined ? "" : ` of ${megabytes(total)}`} MB`;
}

function whereabouts(): string {
  if (!run.value || !place.value) return "";
  const { epochs, steps } = run.value;
  const { epoch, step, msPerStep } = place.value;
  const at = step < steps ? `step ${count(step)} of ${count(steps)}` : "reading the test images";
  const left = steps * (epochs - epoch) - step;
  const guess = msPerStep === undefined || left === 0 ? "" : ` · ${timeLeft(left * msPerStep)}`;
  return `epoch ${epoch + 1} of ${epochs} · ${at}${guess}`;
}

/** No more exact than such a guess can be. */
function timeLeft(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 3) return "a moment left";
  if (seconds < 20) return `about ${Math.round(seconds)} s left`;
  if (seconds < 90) return `about ${Math.round(seconds / 10) * 10} s left`;
  return `about ${Math.round(seconds / 60)} min left`;
}
