/** How numbers from a kernel are held against the float64 reference. */

export interface Tolerance {
  readonly atol: number;
  readonly rtol: number;
}

export interface Comparison {
  readonly ok: boolean;
  /** Where the largest share of the tolerance is used; the first such place. */
  readonly worstIndex: number;
  readonly worstGot: number;
  readonly worstWant: number;
  /** |got - want| / (atol + rtol * |want|) there: above 1 is bad, Infinity where a number is not finite. */
  readonly worstShare: number;
  /** How many values are outside the tolerance. */
  readonly bad: number;
}

/**
 * A value is good where |got - want| <= atol + rtol * |want|. NaN and Infinity are bad on either side, even where both
 * sides agree: a reference that overflows proves nothing. Throws where the lengths differ or nothing is compared.
 */
export function compare(got: ArrayLike<number>, want: ArrayLike<number>, tolerance: Tolerance): Comparison {
  if (got.length !== want.length) throw new Error(`got ${got.length} values, want ${want.length}.`);
  if (want.length === 0) throw new Error("no values to compare.");
  let bad = 0;
  let worstIndex = 0;
  let worstShare = -1;
  for (let at = 0; at < want.length; at++) {
    const difference = Math.abs(got[at]! - want[at]!);
    const allowed = tolerance.atol + tolerance.rtol * Math.abs(want[at]!);
    const good = Number.isFinite(difference) && difference <= allowed;
    if (!good) bad++;
    const share = shareOfTolerance(difference, allowed);
    if (share > worstShare) {
      worstShare = share;
      worstIndex = at;
    }
  }
  return { ok: bad === 0, worstIndex, worstGot: got[worstIndex]!, worstWant: want[worstIndex]!, worstShare, bad };
}

/** Never NaN, so that the worst value is always found: 0 of an allowance of 0 is 0, anything not finite is Infinity. */
function shareOfTolerance(difference: number, allowed: number): number {
  if (difference === 0) return 0;
  const share = difference / allowed;
  return Number.isFinite(difference) && !Number.isNaN(share) ? share : Number.POSITIVE_INFINITY;
}

/** Throws an Error that names the label, the worst value and how many are bad, unless every value is good. */
export function expectClose(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  tolerance: Tolerance,
  label: string,
): Comparison {
  let result: Comparison;
  try {
    result = compare(got, want, tolerance);
  } catch (cause) {
    throw new Error(`${label}: ${(cause as Error).message}`, { cause });
  }
  if (result.ok) return result;
  const { worstIndex, worstGot, worstWant, worstShare, bad } = result;
  const allowed = tolerance.atol + tolerance.rtol * Math.abs(worstWant);
  throw new Error(
    `${label}: ${bad} of ${want.length} values are outside the tolerance (atol ${tolerance.atol}, rtol ${tolerance.rtol}). ` +
      `Worst at [${worstIndex}]: got ${worstGot}, want ${worstWant}, difference ${Math.abs(worstGot - worstWant)}, ` +
      `allowed ${allowed} (${worstShare.toPrecision(3)} of it used).`,
  );
}

/**
 * `expectClose` for numbers of which some are not finite: a NaN is told by its bits, since no comparison is to be trusted with it,
 * and must be where one is wanted and nowhere else; so must each infinity.
 */
export function expectCarried(got: Float32Array, want: ArrayLike<number>, tolerance: Tolerance, label: string): void {
  const kinds = Array.from(want, (value) => (Number.isFinite(value) ? "finite" : String(value)));
  const all = Array.from(new Uint32Array(got.buffer, got.byteOffset, got.length), kindOfBits);
  if (String(all) !== String(kinds)) throw new Error(`${label}: got ${[...got]}, want ${[...Array.from(want)]}.`);
  const finite = kinds.flatMap((kind, at) => (kind === "finite" ? [at] : []));
  const of = (values: ArrayLike<number>) => finite.map((at) => values[at]!);
  if (finite.length > 0) expectClose(of(got), of(want), tolerance, label);
}

/** What a float32 of these bits is. */
export function kindOfBits(bits: number): string {
  if ((bits & 0x7f800000) !== 0x7f800000) return "finite";
  if ((bits & 0x007fffff) !== 0) return "NaN";
  return bits >>> 31 === 0 ? "Infinity" : "-Infinity";
}

/**
 * Central differences of a scalar function in float64: (f(x + step) - f(x - step)) / (2 * step) for each value of x.
 * `f` is called while x itself is changed in place; x is as before when this returns.
 */
export function numericGradient(f: () => number, x: Float64Array, step = 1e-5): Float64Array {
  return Float64Array.from(x, (value, at) => {
    x[at] = value + step;
    const above = f();
    x[at] = value - step;
    const below = f();
    x[at] = value;
    return (above - below) / (2 * step);
  });
}
