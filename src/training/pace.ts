/** How the steps of a sweep are cut into submits. */
export interface PaceOptions {
  /** Steps a submit; `auto` adapts them to `submitMs`. */
  readonly stepsPerExecution: number | "auto";
  /** The longest that a submit should take, in ms of the device's time; below `FRAME_MS`, all that are in flight. */
  readonly submitMs: number;
  /** The processor runs the shaders: `auto` is one step a submit. */
  readonly software: boolean;
}

/** What a submit takes by default, at most: short enough to leave frames to a page. */
export const FRAMES_MS = 50;
/** Below it a page counts on its frames: all submits in flight together take no longer than `submitMs`. */
export const FRAME_MS = 16;
/** From here on throughput comes first: submits begin with `THROUGHPUT_STEPS` once the device is warm. */
export const THROUGHPUT_MS = 250;
const THROUGHPUT_STEPS = 16;
/** More steps would keep the script from its frames while it records them. */
const MOST_STEPS = 512;
/** A submit grows while it takes less than this share of the longest. */
const LEAST_SHARE = 0.4;
const AIM_SHARE = 0.7;
/** Completions that make a measurement: as many as are in flight or twice that, since some drivers report them together. */
const WINDOW = { frames: 4, full: 3 };
/** Reports may come this late (a browser that polls each 100 ms): what takes less may be all lateness. */
const LATEST_REPORT_MS = 125;
/** No submit is tried that may take longer: drivers reset a device after about 2 s. */
const SAFE_MS = 1000;

/** A submit under way. */
export interface Ticket {
  readonly steps: number;
  readonly time: number;
}

/**
 * Chooses how many steps go into a submit. One pace serves a plan for as long as it lives, sweep after sweep.
 *
 * What is measured is the time between completions, which is no more than the work plus what reports are late by. So a short
 * one is proof that more steps fit; a long one is not proof of the contrary until twice the steps took about twice as long.
 */
export class Pace {
  readonly #options: PaceOptions;
  readonly #adapts: boolean;
  readonly #frames: boolean;
  /** What a submit may take, in ms. */
  readonly #most: number;
  readonly #now: () => number;
  #steps: number;
  #last = Number.NEGATIVE_INFINITY;
  /** When the first submit was done. */
  #warm = Number.POSITIVE_INFINITY;
  /** Of the submits of `#steps` steps: the times between completions. */
  #window: number[] = [];
  /** In frames, a step alone takes longer than a submit may. */
  #long = false;
  /** What a submit took, by its steps. */
  readonly #known = new Map<number, number>();

  constructor(options: PaceOptions, now: () => number = () => performance.now()) {
    this.#options = options;
    this.#now = now;
    this.#adapts = options.stepsPerExecution === "auto" && !options.software;
    this.#frames = options.submitMs < FRAME_MS;
    this.#most = this.#frames ? options.submitMs / 2 : options.submitMs;
    this.#steps = options.stepsPerExecution === "auto" ? 1 : options.stepsPerExecution;
  }

  /** Submits that may wait on the device: one runs, the others are there when it is done. */
  get inFlight(): number {
    if (this.#long) return 1;
    return this.#options.software || this.#frames ? 2 : 3;
  }

  /** Steps of the next submit. */
  get steps(): number {
    return this.#steps;
  }

  /** Whether a sweep with such options may go on with what was learned here. */
  serves({ stepsPerExecution, submitMs, software }: PaceOptions): boolean {
    const mine = this.#options;
    return mine.stepsPerExecution === stepsPerExecution && mine.submitMs === submitMs && mine.software === software;
  }

  submitted(steps: number): Ticket {
    return { steps, time: this.#now() };
  }

  /** Call it in the order of the submits, when the device reports one done. */
  completed({ steps, time }: Ticket): void {
    const now = this.#now();
    const turnaround = now - time;
    const elapsed = now - Math.max(this.#last, time);
    this.#last = now;
    // The first submit's time holds the driver's own warming up, and those in flight with it waited for it.
    if (!this.#adapts || time < this.#warm) {
      this.#warm = Math.min(this.#warm, now);
      return;
    }
    // Some are cut short by the sweep's end, or were made before a change.
    if (steps !== this.#steps) return;
    if (this.#leap(turnaround)) return;
    const window = this.#window;
    if (window.push(elapsed) === (this.#frames ? WINDOW.frames : WINDOW.full)) this.#judge(window);
  }

  /** Grows at once where that is safe: a submit took no longer than from its call to the report of its end. */
  #leap(turnaround: number): boolean {
    const steps = this.#steps;
    if (this.#most >= THROUGHPUT_MS && steps < THROUGHPUT_STEPS && !this.#known.has(THROUGHPUT_STEPS)) {
      if ((turnaround * THROUGHPUT_STEPS) / steps <= SAFE_MS) return this.#become(THROUGHPUT_STEPS);
    }
    return turnaround <= LEAST_SHARE * this.#most && this.#become(steps * 2);
  }

  #judge(window: readonly number[]): void {
    const steps = this.#steps;
    const ms = window.reduce((sum, gap) => sum + gap) / window.length;
    // Of two submits that wait together, the second is done its own work after the first, however late both are reported.
    const work = this.#frames ? [...window].sort((a, b) => a - b)[1]! : ms;
    const half = this.#known.get(steps / 2) ?? Number.POSITIVE_INFINITY;
    // Twice the steps in less than 1.5 times the time: most of it is not work.
    const late = ms < 1.5 * half && ms <= LATEST_REPORT_MS && !this.#known.has(steps * 2);
    const maybeLate = late && (!this.#frames || work <= LEAST_SHARE * this.#most);
    this.#known.set(steps, ms);
    this.#window = [];
    this.#long = this.#frames && steps === 1 && work > this.#most;
    if (ms <= LEAST_SHARE * this.#most) {
      // What was known of more steps holds no longer: the device has grown faster.
      this.#known.delete(steps * 2);
      this.#become(steps * 2);
    } else if (maybeLate) {
      this.#become(steps * 2);
    } else if (work > this.#most) {
      this.#become(2 ** Math.floor(Math.log2(Math.max(1, (steps * AIM_SHARE * this.#most) / work))));
    }
  }

  #become(steps: number): boolean {
    const next = Math.min(MOST_STEPS, steps);
    if (next === this.#steps) return false;
    this.#steps = next;
    this.#window = [];
    return true;
  }
}
