/** Rounds to the nearest whole number, of two to the even one, as Python and NumPy do. */
export function halfToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
