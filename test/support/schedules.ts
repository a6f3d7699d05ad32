import {
  cosineDecay,
  cosineDecayRestarts,
  exponentialDecay,
  inverseTimeDecay,
  piecewiseConstantDecay,
  polynomialDecay,
  type Schedule,
} from "../../src/index.ts";
import golden from "../golden/more-optimizers.json";

// biome-ignore lint/suspicious/noExplicitAny: the options come from a file
const MAKERS: Record<string, (options: any) => Schedule> = {
  cosineDecay,
  cosineDecayRestarts,
  exponentialDecay,
  inverseTimeDecay,
  piecewiseConstantDecay,
  polynomialDecay,
};

/** Makes a schedule of the library by its name. */
export function scheduleOf(name: string, options: object): Schedule {
  return MAKERS[name]!(options);
}

/** The schedules that Keras's figures are of. */
export function everySchedule(): Schedule[] {
  return golden.schedules.map(({ schedule, options }) => scheduleOf(schedule, options));
}
