// Form controls, each one line with its label.

import { useId } from "preact/hooks";

interface Labelled {
  readonly label: string;
  readonly disabled?: boolean;
}

/** A number that is dragged or typed. `onChange` gets values in range only. */
export function NumberKnob(
  props: Labelled & {
    value: number;
    min: number;
    max: number;
    step?: number;
    /** Without it, the number is typed only. */
    slider?: boolean;
    onChange: (value: number) => void;
  },
) {
  const { label, value, min, max, step = 1, slider = false, disabled = false, onChange } = props;
  const id = useId();
  const change = (event: { currentTarget: HTMLInputElement }) => {
    const { valueAsNumber, validity } = event.currentTarget;
    if (validity.valid && Number.isFinite(valueAsNumber)) onChange(valueAsNumber);
  };
  const input = { min, max, step, value, disabled };
  /** What could not be taken gives way to what holds. */
  const leave = (event: { currentTarget: HTMLInputElement }) => {
    if (!event.currentTarget.validity.valid || event.currentTarget.value === "")
      event.currentTarget.valueAsNumber = value;
  };
  return (
    <div class="knob">
      <label for={id}>{label}</label>
      {slider && <input type="range" {...input} aria-label={`${label}, slider`} onInput={change} />}
      <input
        id={id}
        type="number"
        inputMode="decimal"
        title={`From ${min} to ${max}`}
        {...input}
        onInput={change}
        onBlur={leave}
      />
    </div>
  );
}

/** One of a few words. */
export function ChoiceKnob<T extends string>(
  props: Labelled & { value: T; options: readonly { value: T; label: string }[]; onChange: (value: T) => void },
) {
  const { label, value, options, disabled = false, onChange } = props;
  const id = useId();
  return (
    <div class="knob">
      <label for={id}>{label}</label>
      <select id={id} value={value} disabled={disabled} onChange={(event) => onChange(event.currentTarget.value as T)}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  );
}
