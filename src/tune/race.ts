/** What is raced: candidates that can be run any number of times in a row, the first of them the one to be beaten. */
export interface Contest {
  readonly candidates: number;
  /** Milliseconds that so many runs of a candidate took. Coarse: it may be 0. */
  time(candidate: number, runs: number): Promise<number>;
}

export interface RaceRules {
  /** Milliseconds that a timing should take at least, so that the clock's steps do not count. */
  readonly timingMs: number;
  /** The share of the first's time by which another must be faster. */
  readonly margin: number;
}

/** Rounds whose times count; the one before them warms up, and drops who is far behind. */
const ROUNDS = 2;
/** Who takes this many times as long as the first in the warm-up is out. */
const FAR_BEHIND = 2;
/** The warm-up takes this share of a timing. */
const WARM_UP = 0.25;
/** What is still too short for the clock with so many runs cannot be measured. */
const MOST_RUNS = 2 ** 14;

/** How many runs take long enough to be timed, and how long one takes. */
export interface Calibration {
  readonly runs: number;
  /** Milliseconds of one run. */
  readonly ms: number;
}

/** Finds out how often the first must run to be timed; undefined where no number of runs is enough. It has run before. */
export async function calibrate(contest: Contest, { timingMs }: RaceRules): Promise<Calibration | undefined> {
  for (let runs = 1; ; ) {
    const ms = await contest.time(0, runs);
    if (ms >= timingMs) return { runs, ms: ms / runs };
    if (runs === MOST_RUNS) return undefined;
    // Never far ahead of what is known, since no dispatch may hold up a page for long.
    const wanted = ms > 0 ? Math.ceil((1.1 * runs * timingMs) / ms) : MOST_RUNS;
    runs = Math.min(wanted, 8 * runs, MOST_RUNS);
  }
}

/**
 * Times all candidates in turn, a warm-up and two rounds in opposite orders.
 *
 * @returns the place of the fastest of those that beat the first by the margin in both rounds; 0 where there is none
 */
export async function race(contest: Contest, { runs }: Calibration, { margin }: RaceRules): Promise<number> {
  const all = Array.from({ length: contest.candidates }, (_, i) => i);
  const few = Math.ceil(runs * WARM_UP);
  const warm: number[] = [];
  for (const candidate of all) warm.push(await contest.time(candidate, few));
  const left = all.filter((candidate) => candidate === 0 || warm[candidate]! <= FAR_BEHIND * warm[0]!);
  const times = all.map((): number[] => []);
  // A GPU's clock rises with work: who comes late in one round comes early in the next.
  const orders = [left, [...left].reverse()];
  for (let round = 0; round < ROUNDS; round++) {
    for (const candidate of orders[round % 2]!) times[candidate]!.push(await contest.time(candidate, runs));
  }
  const faster = left.filter((candidate) => times[candidate]!.every((ms, i) => ms < times[0]![i]! * (1 - margin)));
  const best = (candidate: number) => Math.min(...times[candidate]!);
  return faster.reduce((a, b) => (best(b) < best(a) ? b : a), faster[0] ?? 0);
}
