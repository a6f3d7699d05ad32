/** Options for cutting the steps of a sweep into submits. */
export interface PaceOptions {
  /** Steps a submit. `auto` adapts them to `submitMs`. */
  readonly stepsPerExecution: number | "auto";
  /** Longest time of a submit, in ms of the device's time; below `FRAME_MS`, of all submits in flight. */
  readonly submitMs: number;
  /** Whether the processor runs the shaders. Then `auto` is one step a submit. */
  readonly software: boolean;
}

// The numbers below were set by hand on 2026-11-24. They were tried on simulated devices (test/training/pace.test.ts: from 0.05 to 600
// ms a step, late reports, drawing pages), not measured on real ones.

/** Default of the longest time of a submit, short enough to leave frames to a page. */
export const FRAMES_MS = 50;
/** Time of a frame at 60 Hz. Below it, all submits in flight together take no longer than `submitMs`. */
export const FRAME_MS = 16;
/** Least `submitMs` that puts throughput first: submits then have `THROUGHPUT_STEPS` once the device is warm. */
export const THROUGHPUT_MS = 250;
const THROUGHPUT_STEPS = 16;
/** Most steps of a submit. Recording more would keep the script from its frames. */
const MAX_STEPS = 512;
/** Share of the longest time below which a submit grows. */
const GROW_SHARE = 0.4;
const AIM_SHARE = 0.7;
/** Completions in a measurement: as many as are in flight or twice that, since some drivers report them together. */
const WINDOW = { frames: 4, full: 3 };
/**
 * Most lateness of a report. A shorter time may be all lateness. Firefox polls each 100 ms
 * (https://bugzilla.mozilla.org/show_bug.cgi?id=1870699).
 */
const LATEST_REPORT_MS = 125;
/**
 * Longest time of a submit that is tried. Windows resets a GPU after 2 s
 * (https://learn.microsoft.com/windows-hardware/drivers/display/timeout-detection-and-recovery).
 */
const SAFE_MS = 1000;

/** Ticket of a submit under way. */
export interface Ticket {
  readonly steps: number;
  readonly time: number;
}

/**
 * Chooses how many steps go into a submit. One pace serves a plan for as long as it lives, sweep after sweep.
 *
 * It measures the time between completions, which is at most the work plus the lateness of reports. So a short time proves that more steps
 * fit. A long one does not prove the contrary until twice the steps took about twice as long.
 */
export class Pace {
  readonly #options: PaceOptions;
  readonly #adapts: boolean;
  readonly #frames: boolean;
  /** Longest time of a submit, in ms. */
  readonly #maxMs: number;
  readonly #now: () => number;
  #steps: number;
  #last = Number.NEGATIVE_INFINITY;
  /** Time when the first submit was done. */
  #warm = Number.POSITIVE_INFINITY;
  /** Times between completions of submits with `#steps` steps. */
  #window: number[] = [];
  /** Whether a single step takes longer than a submit may, below `FRAME_MS`. */
  #longStep = false;
  /** Time that a submit took, by its steps. */
  readonly #known = new Map<number, number>();

  constructor(options: PaceOptions, now: () => number = () => performance.now()) {
    this.#options = options;
    this.#now = now;
    this.#adapts = options.stepsPerExecution === "auto" && !options.software;
    this.#frames = options.submitMs < FRAME_MS;
    this.#maxMs = this.#frames ? options.submitMs / 2 : options.submitMs;
    this.#steps = options.stepsPerExecution === "auto" ? 1 : options.stepsPerExecution;
  }

  /** Submits that may be in flight. One runs; the others are ready when it is done. */
  get inFlight(): number {
    if (this.#longStep) return 1;
    return this.#options.software || this.#frames ? 2 : 3;
  }

  /** Steps of the next submit. */
  get steps(): number {
    return this.#steps;
  }

  /** Tells whether a sweep with such options may use this pace. */
  serves({ stepsPerExecution, submitMs, software }: PaceOptions): boolean {
    const mine = this.#options;
    return mine.stepsPerExecution === stepsPerExecution && mine.submitMs === submitMs && mine.software === software;
  }

  submitted(steps: number): Ticket {
    return { steps, time: this.#now() };
  }

  /** Takes note of a submit that the device reports as done. Call it in the order of the submits. */
  completed({ steps, time }: Ticket): void {
    const now = this.#now();
    const turnaround = now - time;
    const elapsed = now - Math.max(this.#last, time);
    this.#last = now;
    // The first submit's time includes the driver's warm-up, and those in flight with it waited for it.
    if (!this.#adapts || time < this.#warm) {
      this.#warm = Math.min(this.#warm, now);
      return;
    }
    // Some are shorter at a sweep's end, or were made before a change.
    if (steps !== this.#steps) return;
    if (this.#leap(turnaround)) return;
    const window = this.#window;
    if (window.push(elapsed) === (this.#frames ? WINDOW.frames : WINDOW.full)) this.#judge(window);
  }

  /** Grows at once if that is safe: a submit took at most the time from its call to the report of its end. */
  #leap(turnaround: number): boolean {
    const steps = this.#steps;
    if (this.#maxMs >= THROUGHPUT_MS && steps < THROUGHPUT_STEPS && !this.#known.has(THROUGHPUT_STEPS)) {
      if ((turnaround * THROUGHPUT_STEPS) / steps <= SAFE_MS) return this.#become(THROUGHPUT_STEPS);
    }
    return turnaround <= GROW_SHARE * this.#maxMs && this.#become(steps * 2);
  }

  #judge(window: readonly number[]): void {
    const steps = this.#steps;
    const ms = window.reduce((sum, gap) => sum + gap) / window.length;
    // If two submits wait together, the second ends its own work after the first, however late both are reported.
    const work = this.#frames ? [...window].sort((a, b) => a - b)[1]! : ms;
    const half = this.#known.get(steps / 2) ?? Number.POSITIVE_INFINITY;
    // Twice the steps in less than 1.5 times the time: most of it is not work.
    const late = ms < 1.5 * half && ms <= LATEST_REPORT_MS && !this.#known.has(steps * 2);
    const maybeLate = late && (!this.#frames || work <= GROW_SHARE * this.#maxMs);
    this.#known.set(steps, ms);
    this.#window = [];
    this.#longStep = this.#frames && steps === 1 && work > this.#maxMs;
    if (ms <= GROW_SHARE * this.#maxMs) {
      // The time of more steps is no longer valid: the device has become faster.
      this.#known.delete(steps * 2);
      this.#become(steps * 2);
    } else if (maybeLate) {
      this.#become(steps * 2);
    } else if (work > this.#maxMs) {
      this.#become(2 ** Math.floor(Math.log2(Math.max(1, (steps * AIM_SHARE * this.#maxMs) / work))));
    }
  }

  #become(steps: number): boolean {
    const next = Math.min(MAX_STEPS, steps);
    if (next === this.#steps) return false;
    this.#steps = next;
    this.#window = [];
    return true;
  }
}
