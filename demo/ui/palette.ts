// Numbers as colours. The colours are the style sheet's, so that dark and light pages have their own.

export type Palette = "input" | "kernel" | "map" | "plain";

export type Rgb = readonly [number, number, number];

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Of pixels. */
export const UNIT_RANGE: Range = { min: 0, max: 1 };

/** From the least to the greatest, and to zero where all are of one sign. */
export function rangeOf(values: ArrayLike<number>): Range {
  let min = 0;
  let max = 0;
  for (let i = 0; i < values.length; i++) {
    min = Math.min(min, values[i]!);
    max = Math.max(max, values[i]!);
  }
  return { min, max };
}

/** What a palette's ends are on an element: zero is `none`, the greatest `most`, the least, if negative, `least`. */
export interface Ends {
  readonly none: Rgb;
  readonly most: Rgb;
  readonly least: Rgb;
}

/** An element's color of this name, which the style sheet writes as #rrggbb. */
export function colorNamed(name: string, element: Element): Rgb {
  return parse(getComputedStyle(element).getPropertyValue(name));
}

export function endsOf(palette: Palette, element: Element): Ends {
  const color = (name: string) => colorNamed(name, element);
  return { none: color("--cell-none"), most: color(`--cell-${palette}`), least: color("--cell-negative") };
}

/** Mixed in proportion to the larger of both ends, so that equal colours are equal amounts. */
export function colorOf(value: number, { min, max }: Range, { none, most, least }: Ends): Rgb {
  const whole = Math.max(max, -min) || 1;
  const share = Math.min(1, Math.abs(value) / whole);
  const end = value < 0 ? least : most;
  return mixed(none, end, share);
}

/** What is left of a color that is set back: so little that the soft color is read well on it. */
const LEFT = 0.12;

export function dimmed(color: Rgb, sheet: Rgb): Rgb {
  return mixed(sheet, color, LEFT);
}

function mixed(from: Rgb, to: Rgb, share: number): Rgb {
  return [0, 1, 2].map((i) => Math.round(from[i]! + (to[i]! - from[i]!) * share)) as unknown as Rgb;
}

/** Whether black is to be read better than white on a colour. */
export function isLight(color: Rgb): boolean {
  return luminance(color) > 0.18;
}

/** Relative, by WCAG 2: from 0, black, to 1, white. */
export function luminance(color: Rgb): number {
  const [r, g, b] = color.map((byte) => {
    const c = byte / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

/** `#rrggbb`, as the style sheet writes these colours, or `#rgb`, as minifiers do. */
export function parse(color: string): Rgb {
  const digits = color.trim().slice(1);
  const hex = Number.parseInt(digits.length === 3 ? digits.replace(/./g, "$&$&") : digits, 16);
  return [(hex >> 16) & 255, (hex >> 8) & 255, hex & 255];
}
