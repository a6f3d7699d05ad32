import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface ChipsProps<T> {
  readonly label: string;
  /** `undefined`: none of them. */
  readonly value: T | undefined;
  readonly options: readonly { readonly value: T; readonly label: ComponentChildren }[];
  readonly onChange: (value: T) => void;
}

/** One of two to four, all in sight, side by side. */
export function Segments<T extends string | number>(props: ChipsProps<T>) {
  return <Radios {...props} look="segments" />;
}

/** One of many, all in sight, in as many lines as they need. */
export function Chips<T extends string | number>(props: ChipsProps<T>) {
  return <Radios {...props} look="chips" />;
}

function Radios<T extends string | number>(props: ChipsProps<T> & { look: "chips" | "segments" }) {
  const { label, value, options, onChange, look } = props;
  const name = useId();
  return (
    <fieldset class={look}>
      <legend>{label}</legend>
      {options.map((option) => (
        <label key={option.value}>
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
