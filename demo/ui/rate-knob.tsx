import { useId } from "preact/hooks";
import { LIMITS } from "../network-check.ts";

/** Powers of ten at the slider's ends. */
const [LEAST, MOST] = [-4, 0];

/** A learning rate: the slider multiplies, the number is typed. */
export function RateKnob({ value, onChange }: { value: number; onChange: (rate: number) => void }) {
  const id = useId();
  return (
    <div class="knob rate">
      <label for={id}>Learning rate</label>
      <div>
        <input
          type="range"
          aria-label="Learning rate, slider"
          min={LEAST}
          max={MOST}
          step={0.05}
          value={Math.log10(value)}
          aria-valuetext={String(value)}
          onInput={(event) => onChange(Number((10 ** event.currentTarget.valueAsNumber).toPrecision(2)))}
        />
        <input
          id={id}
          type="number"
          inputMode="decimal"
          {...LIMITS.learningRate}
          step="any"
          value={value}
          onInput={({ currentTarget: { valueAsNumber, validity } }) => {
            if (validity.valid && Number.isFinite(valueAsNumber)) onChange(valueAsNumber);
          }}
          onBlur={({ currentTarget }) => {
            currentTarget.valueAsNumber = value;
          }}
        />
      </div>
    </div>
  );
}
