// Where a window stands as it slides over an image, along one side of it.

export type Padding = "valid" | "same";

export interface Sliding {
  /** The side of the image, the window's, and the pixels from one place of it to the next. */
  readonly n: number;
  readonly k: number;
  readonly s: number;
  /** Zeros before the image and after it. */
  readonly before: number;
  readonly after: number;
  /** Places, and so the side of the map. Less than 1 where the window does not fit. */
  readonly places: number;
  /** Pixels at the end, zeros included, that no window reaches. */
  readonly unreached: number;
}

/** By Keras's rule for `same`: as many zeros as give ceil(n / s) places, the odd one after the image. */
export function slide(n: number, k: number, s: number, padding: Padding): Sliding {
  const total = padding === "same" ? Math.max((Math.ceil(n / s) - 1) * s + k - n, 0) : 0;
  const before = Math.floor(total / 2);
  const places = Math.floor((n + total - k) / s) + 1;
  const unreached = places < 1 ? 0 : Math.max(0, n + total - ((places - 1) * s + k));
  return { n, k, s, before, after: total - before, places, unreached };
}
