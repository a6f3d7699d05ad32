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

export function endsOf(palette: Palette, element: Element): Ends {
  const style = getComputedStyle(element);
  const color = (name: string) => parse(style.getPropertyValue(name));
  return { none: color("--cell-none"), most: color(`--cell-${palette}`), least: color("--cell-negative") };
}

/** Mixed in proportion to the larger of both ends, so that equal colours are equal amounts. */
export function colorOf(value: number, { min, max }: Range, { none, most, least }: Ends): Rgb {
  const whole = Math.max(max, -min) || 1;
  const share = Math.min(1, Math.abs(value) / whole);
  const end = value < 0 ? least : most;
  return [0, 1, 2].map((i) => Math.round(none[i]! + (end[i]! - none[i]!) * share)) as unknown as Rgb;
}

/** Whether black is to be read better than white on a colour (relative luminance, WCAG 2). */
export function isLight(color: Rgb): boolean {
  const [r, g, b] = color.map((byte) => {
    const c = byte / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b! > 0.18;
}

/** `#rrggbb`, as the style sheet writes these colours. */
function parse(color: string): Rgb {
  const hex = Number.parseInt(color.trim().slice(1), 16);
  return [(hex >> 16) & 255, (hex >> 8) & 255, hex & 255];
}
