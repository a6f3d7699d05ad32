/** Rounds to the nearest whole number, of two to the even one, as Python and NumPy do. */
export function halfToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/**
 * Rounds as Python does, else as `toFixed`: an exact tie goes to the even digit, so an accuracy of 29/32 = 0.90625 reads
 * 0.9062. A double is a tie at `digits` decimals only if `value * 2^(digits + 1)` is an odd whole number.
 */
export function fixed(value: number, digits: number): string {
  const rounded = value.toFixed(digits);
  if (Math.abs((value * 2 ** (digits + 1)) % 2) !== 1) return rounded;
  const down = value.toFixed(digits + 1).slice(0, digits === 0 ? -2 : -1);
  return Number(down.at(-1)) % 2 === 0 ? down : rounded;
}
