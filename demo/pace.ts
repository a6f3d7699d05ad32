/** Long enough to even out jitter, short enough to follow a change, in ms. */
const WINDOW_MS = 3000;

interface Moment {
  readonly step: number;
  readonly time: number;
}

/** Speed over the last few seconds of one epoch. */
export class Pace {
  readonly #moments: Moment[] = [];

  /** Notes that `step` steps are done, and returns ms a step, or `undefined` at the first call. */
  msPerStep(step: number, time: number): number | undefined {
    const moments = this.#moments;
    moments.push({ step, time });
    while (moments.length > 2 && time - moments[1]!.time >= WINDOW_MS) moments.shift();
    const first = moments[0]!;
    return step > first.step ? (time - first.time) / (step - first.step) : undefined;
  }
}

/** `about 40 s left`, no more exact than such a guess can be. */
export function timeLeft(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 3) return "a moment left";
  if (seconds < 20) return `about ${Math.round(seconds)} s left`;
  if (seconds < 90) return `about ${Math.round(seconds / 10) * 10} s left`;
  return `about ${Math.round(seconds / 60)} min left`;
}
