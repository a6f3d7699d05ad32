import { sampleDigits } from "../state/digits.ts";
import { Chips } from "./chips.tsx";
import { PixelGrid } from "./pixel-grid.tsx";

/** One of the ten sample digits, by its picture. Reserves its room until they are there. */
export function DigitPicker({ value, onChange }: { value: number; onChange: (digit: number) => void }) {
  const options = sampleDigits.value.map((image, digit) => ({
    value: digit,
    label: <PixelGrid {...image} label={`Digit ${digit}`} palette="input" />,
  }));
  return (
    <div class="digit-picker">
      <Chips label="Digit" value={value} options={options} onChange={onChange} />
    </div>
  );
}
