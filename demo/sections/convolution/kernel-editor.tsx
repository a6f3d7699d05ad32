import { useEffect, useRef } from "preact/hooks";
import { Chips, Segments } from "../../ui/chips.tsx";
import { type KernelSize, PRESETS } from "./kernels.ts";
import { choosePreset, chooseSize, kernel, preset, setWeight } from "./state.ts";

const SIZES = [
  { value: "3", label: "3 × 3" },
  { value: "5", label: "5 × 5" },
] as const;

const CHOICES = PRESETS.map(({ name, label }) => ({ value: name, label }));
const DIGITS_SHOWN = 3;
const LIMIT = 99;

export function KernelEditor() {
  const { rows, values } = kernel.value;
  const greatest = Math.max(...values.map(Math.abs)) || 1;
  const chosen = PRESETS.find(({ name }) => name === preset.value);
  return (
    <figure>
      <figcaption>Kernel: change its weights</figcaption>
      <div class="kernel" style={{ "--columns": rows }} data-size={rows}>
        {[...values].map((weight, i) => (
          <Weight key={`${rows} ${i}`} at={i} size={rows} weight={weight} share={Math.abs(weight) / greatest} />
        ))}
      </div>
      <div class="stack">
        <Segments
          label="Kernel size"
          value={String(rows) as "3" | "5"}
          options={SIZES}
          onChange={(size) => chooseSize(Number(size) as KernelSize)}
        />
        <Chips label="Known kernels" value={preset.value} options={CHOICES} onChange={(name) => choosePreset(name)} />
        <p class="answers">{chosen?.answers ?? "A kernel of your own."}</p>
      </div>
    </figure>
  );
}

interface WeightProps {
  readonly at: number;
  readonly size: number;
  readonly weight: number;
  /** Of the greatest weight. */
  readonly share: number;
}

/** Not a controlled input: what is half typed ("0.", "-") stays as it is until it is left. */
function Weight({ at, size, weight, share }: WeightProps) {
  const element = useRef<HTMLInputElement>(null);
  const [row, column] = [Math.floor(at / size), at % size];
  const text = rounded(weight);
  const show = () => {
    element.current!.value = text;
  };
  useEffect(() => {
    if (rounded(element.current!.valueAsNumber) !== text) show();
  }, [text]);
  const change = ({ valueAsNumber, validity }: HTMLInputElement) => {
    if (validity.valid && Number.isFinite(valueAsNumber)) setWeight(at, valueAsNumber);
  };
  return (
    <input
      ref={element}
      id={`convolution-weight-${row}-${column}`}
      class={weight < 0 ? "negative" : undefined}
      style={{ "--share": share }}
      type="number"
      inputMode="decimal"
      step="any"
      min={-LIMIT}
      max={LIMIT}
      aria-label={`Weight in row ${row + 1}, column ${column + 1}`}
      onInput={(event) => change(event.currentTarget)}
      onBlur={show}
    />
  );
}

const rounded = (weight: number) => String(Number(weight.toFixed(DIGITS_SHOWN)));
