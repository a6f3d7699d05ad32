// How numbers are written on the page.

/** `1,087,106` */
export const count = (value: number): string => value.toLocaleString("en-US");

/** `97.3%` */
export const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

/** Of a loss: as many digits as tell something. */
export const loss = (value: number): string => value.toFixed(value < 0.1 ? 3 : 2);

/** `45.3` of megabytes. */
export const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

/** A number in a grid's cell or a sum: at most `digits` after the point, and a true minus sign. */
export function short(value: number, digits = 2): string {
  const text = Number(value.toFixed(digits)).toString();
  return text.replace("-", "−");
}
