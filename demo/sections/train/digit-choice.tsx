import { computed, effect, signal } from "@preact/signals";
import type { Sample } from "../../engine/samples.ts";
import { DIGITS } from "../../network.ts";
import { engine } from "../../state/engine.ts";
import { notifyError } from "../../state/notices.ts";
import { begun, verdict } from "../../state/training.ts";
import { Digit } from "../../ui/digit.tsx";
import { percent } from "../../ui/numbers.ts";

/** Among the first so many test images is one of each digit. */
const LOOKED_THROUGH = 64;

const samples = signal<readonly Sample[]>([]);
const chosen = signal<number | undefined>(undefined);
const answers = computed(() => verdict.value?.answers);

/** MNIST is loaded for a training, not for who only looks at the page. */
effect(() => {
  if (!begun.value || samples.peek().length > 0) return;
  engine.samples(LOOKED_THROUGH).then(
    (all) => {
      samples.value = Array.from({ length: DIGITS }, (_, digit) => all.find(({ label }) => label === digit)!);
      choose(samples.value[0]!.index);
    },
    (error: unknown) => notifyError("samples", "The test digits could not be loaded.", error),
  );
});

function choose(index: number): void {
  chosen.value = index;
  void engine.lookAtDigit(index);
}

/** One test image of each digit, with what the network reads. */
export function DigitChoice() {
  return (
    <fieldset class="digits">
      <legend class="small">Test images, and what it reads in them</legend>
      {samples.value.map(({ index, label, pixels }) => {
        const answer = answers.value?.[index];
        const right = answer?.read === label;
        return (
          <label key={index}>
            <input
              type="radio"
              name="looked-at"
              value={index}
              checked={chosen.value === index}
              onChange={() => choose(index)}
            />
            <Digit pixels={pixels} label={`A ${label}`} />
            <span class={answer ? (right ? "right" : "wrong") : ""}>
              {answer ? `${right ? "✓" : "✗"} ${answer.read}` : "–"}
            </span>
            <span class="small">{answer ? percent(answer.probability) : ""}</span>
          </label>
        );
      })}
    </fieldset>
  );
}
