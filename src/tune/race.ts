/** Candidates of a race. Each can run any number of times in a row. The first is the one to beat. */
export interface Contest {
  readonly candidates: number;
  /** Milliseconds of so many runs of a candidate. The clock is coarse: they may be 0. */
  time(candidate: number, runs: number): Promise<number>;
}

export interface RaceRules {
  /** Milliseconds that a timing should take at least, so that the clock's steps do not count. */
  readonly timingMs: number;
  /** Share of the first's time by which another must be faster. */
  readonly margin: number;
}

// The four numbers below were set by hand on 2026-11-24, not measured.

/** Rounds whose times count. A warm-up comes before them, and drops candidates that are far behind. */
const ROUNDS = 2;
/** Times as long as the first: a candidate that takes longer in the warm-up is out. */
const FAR_BEHIND = 2;
/** Share of a timing's runs that the warm-up has. */
const WARM_UP = 0.25;
/** Most runs of a timing. A candidate that is still too short for the clock cannot be measured. */
const MAX_RUNS = 2 ** 14;

/** Number of runs that take long enough to be timed, and the time of one. */
export interface Calibration {
  readonly runs: number;
  /** Milliseconds of one run. */
  readonly ms: number;
}

/**
 * Finds out how often the first candidate must run to be timed. It must have run before.
 *
 * @returns undefined where no number of runs is enough
 */
export async function calibrate(contest: Contest, { timingMs }: RaceRules): Promise<Calibration | undefined> {
  for (let runs = 1; ; ) {
    const ms = await contest.time(0, runs);
    if (ms >= timingMs) return { runs, ms: ms / runs };
    if (runs === MAX_RUNS) return undefined;
    // Grows in small steps, since no dispatch may hold up a page for long.
    const wanted = ms > 0 ? Math.ceil((1.1 * runs * timingMs) / ms) : MAX_RUNS;
    runs = Math.min(wanted, 8 * runs, MAX_RUNS);
  }
}

/**
 * Times all candidates in turn: a warm-up, then two rounds in opposite orders.
 *
 * @returns the place of the fastest candidate that beats the first by the margin in both rounds; 0 where there is none
 */
export async function race(contest: Contest, { runs }: Calibration, { margin }: RaceRules): Promise<number> {
  const all = Array.from({ length: contest.candidates }, (_, i) => i);
  const few = Math.ceil(runs * WARM_UP);
  const warm: number[] = [];
  for (const candidate of all) warm.push(await contest.time(candidate, few));
  const left = all.filter((candidate) => candidate === 0 || warm[candidate]! <= FAR_BEHIND * warm[0]!);
  const times = all.map((): number[] => []);
  // A GPU's clock rises with work, so the order is turned round: late in one round is early in the next.
  const orders = [left, [...left].reverse()];
  for (let round = 0; round < ROUNDS; round++) {
    for (const candidate of orders[round % 2]!) times[candidate]!.push(await contest.time(candidate, runs));
  }
  const faster = left.filter((candidate) => times[candidate]!.every((ms, i) => ms < times[0]![i]! * (1 - margin)));
  const best = (candidate: number) => Math.min(...times[candidate]!);
  return faster.reduce((a, b) => (best(b) < best(a) ? b : a), faster[0] ?? 0);
}
