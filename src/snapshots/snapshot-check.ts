import {
  type Check,
  finite,
  firstNotFinite,
  flag,
  floats,
  list,
  maybe,
  named,
  number,
  type Place,
  readAt,
  record,
  text,
  whole,
  within,
  words,
  wrongAt,
} from "../base/check.ts";
import { Checksum } from "../base/checksum.ts";
import { FeaturemapError, finiteNumber, show } from "../base/errors.ts";
import { elements, type Shape, sameShape, showShape } from "../base/shape.ts";
import { stepState } from "../graph/step-state.ts";
import type { Weight } from "../model/sequential.ts";
import { metricsLayout } from "../training/metrics-layout.ts";
import type { Snapshot } from "./snapshot.ts";

/** Of the layout of snapshots. */
export const VERSION = 2;

type Fit = NonNullable<Snapshot["fit"]>;

/** What a snapshot must suit. */
export interface Receiver {
  readonly loss: string;
  readonly optimizer: string;
  readonly constants: Snapshot["constants"];
  readonly hyperparameters: Snapshot["hyperparameters"];
  readonly weights: readonly Part[];
  readonly slots: readonly Part[];
}

/** A parameter or slot, without its values. */
export type Part = Omit<Weight, "data">;

/**
 * A snapshot in a copy, checked against itself: types, lengths, ranges, what one part says of another, and its checksum.
 *
 * @throws FeaturemapError `data` for what is no snapshot, or is damaged
 */
export function checkedSnapshot(snapshot: unknown, where: string): Snapshot {
  const place: Place = { path: `${where}: snapshot`, code: "data" };
  const { version } = record({ version: (value: unknown) => value }, { what: WANTED })(snapshot, place);
  const pending = typeof readAt(place, () => (snapshot as { then?: unknown }).then) === "function";
  if (pending || typeof version !== "number") throw wrongAt(place, `be ${WANTED}`, snapshot);
  if (version !== VERSION) {
    const remedy = "Another version's snapshots cannot be restored: train anew.";
    throw wrongAt(within(place, "version"), `be ${VERSION}`, version, remedy);
  }
  const copy = SNAPSHOT(snapshot, place);
  checkRanges(copy, place);
  const sum = checksumOf(copy);
  if (sum !== copy.checksum) {
    const message = `is damaged, or was changed: its checksum is ${sum}, but it says ${show(copy.checksum)}`;
    throw new FeaturemapError("data", `${place.path} ${message}. Restore an earlier one.`);
  }
  return copy;
}

const WANTED = "an object of snapshot(model)";

const weight: Check<Weight> = (value, place) => {
  const copy = record<Weight>({ name: text, shape: list(whole(1)), data: floats })(value, place);
  const { name, shape, data } = copy;
  const at = within(place, "data");
  if (data.length !== elements(shape))
    throw wrongAt(at, `hold ${elements(shape)} numbers, for shape ${showShape(shape)}`, data);
  const bad = firstNotFinite(data);
  if (bad < 0) return copy;
  const what = `hold finite numbers ("${name}")`;
  throw wrongAt(at, `${what} at place ${bad}`, data[bad], "Training had gone wrong by then: restore an earlier one.");
};

/** Weights or slots, each with a name of its own. */
const weights: Check<Weight[]> = (value, place) => {
  const copy = list(weight)(value, place);
  const names = new Set<string>();
  copy.forEach(({ name }, i) => {
    if (names.has(name)) throw wrongAt(within(within(place, i), "name"), "be no other's too", name);
    names.add(name);
  });
  return copy;
};

const wordsOf =
  (count: number): Check<Uint32Array> =>
  (value, place) => {
    const copy = words(value, place);
    if (copy.length === count) return copy;
    throw wrongAt(place, `hold ${count} words`, copy);
  };

const scalar: Check<string | number | boolean | null> = (value, place) => {
  if (value === null || ["string", "number", "boolean"].includes(typeof value)) return value as string;
  throw wrongAt(place, "be a number, a string, a flag or null", value);
};

const history: Check<Fit["history"]> = (value, place) => {
  const copy = record<{ epoch: number[]; history: Record<string, number[]> }>({
    epoch: list(whole()),
    history: named(list(number)),
  })(value, place);
  const { length } = copy.epoch;
  const wrong = Object.entries(copy.history).find(([, values]) => values.length !== length);
  if (!wrong && Object.hasOwn(copy.history, "loss")) return copy as Fit["history"];
  const [name, values] = wrong ?? ["loss", undefined];
  throw wrongAt(within(within(place, "history"), name), `hold ${length} figures, one an epoch`, values);
};

const fit: Check<Fit> = (value, place) => {
  const copy = record<Fit>({
    samples: whole(1),
    data: text,
    batchSize: whole(1),
    shuffle: flag,
    seed: whole(Number.MIN_SAFE_INTEGER),
    epochsBefore: whole(),
    history,
    epoch: whole(),
    steps: whole(),
  })(value, place);
  const { samples, batchSize, epoch, steps } = copy;
  const most = Math.ceil(samples / batchSize);
  if (steps > most) throw wrongAt(within(place, "steps"), `be at most ${most}, the steps of an epoch`, steps);
  const { epoch: epochs } = copy.history;
  if (epochs.length === epoch && epochs.every((each, i) => each === i)) return copy;
  throw wrongAt(within(within(place, "history"), "epoch"), `count the ${epoch} epochs that are done`, epochs);
};

// A function, as every check is: a call beside the functions would be in every app's script.
const SNAPSHOT: Check<Snapshot> = (value, place) =>
  record<Snapshot>({
    version: () => VERSION,
    loss: text,
    optimizer: text,
    constants: named(scalar),
    hyperparameters: named(finite),
    weights,
    slots: weights,
    state: wordsOf(stepState().words),
    metrics: wordsOf(metricsLayout().words),
    epochs: whole(),
    byteScale: maybe(finite),
    fit: maybe(fit),
    checksum: text,
  })(value, place);

/** What the parts of a snapshot say of each other. */
function checkRanges({ state, fit, epochs }: Snapshot, place: Place): void {
  const { position, samples, rows, batch } = stepState().read(state.slice().buffer);
  const stands = position <= samples && rows === Math.min(batch, samples - position);
  const step = fit && fit.steps > 0 ? fit : undefined;
  const agrees =
    !step ||
    (samples === step.samples &&
      batch === Math.min(step.batchSize, samples) &&
      position === Math.min(step.steps * batch, samples));
  if (!stands || !agrees) {
    const where = step ? `stand after step ${step.steps} of fit` : "stand within its samples";
    throw wrongAt(within(place, "state"), where, [...state]);
  }
  if (fit && epochs < fit.epochsBefore + fit.epoch) {
    const least = fit.epochsBefore + fit.epoch;
    throw wrongAt(within(place, "epochs"), `be at least ${least}, the epochs of fit`, epochs);
  }
}

/** Over all of a snapshot but the checksum itself. */
export function checksumOf(snapshot: Omit<Snapshot, "checksum">): string {
  const { weights, slots, state, metrics, fit, ...rest } = snapshot;
  const { history, ...course } = fit ?? { history: { epoch: [], history: {} } };
  const figures = Object.entries(history.history).sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = [...weights, ...slots];
  const sum = new Checksum();
  const texts = [
    sorted({ ...rest, checksum: undefined }),
    sorted(rest.constants),
    sorted(rest.hyperparameters),
    fit === undefined ? null : sorted(course),
    history.epoch,
    figures.map(([name]) => name),
    parts.map(({ name, shape }) => [name, shape]),
    weights.length,
  ];
  sum.text(JSON.stringify(texts, (_, value) => exact(value)));
  // Figures may be NaN, which JSON does not know.
  for (const [, values] of figures) sum.add(Float64Array.from(values));
  for (const { data } of parts) sum.add(data);
  return String(sum.add(state).add(metrics));
}

/** What JSON would make null or 0 of, told apart; all else as it is. */
function exact(value: unknown): unknown {
  if (typeof value !== "number" || (Number.isFinite(value) && !Object.is(value, -0))) return value;
  return { number: value === 0 ? "-0" : String(value) };
}

/** Entries of plain values in the order of their names: stores may reorder. */
function sorted(object: object): [string, unknown][] {
  const entries = Object.entries(object).filter(
    ([, value]) => value === null || !["undefined", "object"].includes(typeof value),
  );
  return entries.sort(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * Says whether a checked snapshot is of such a model.
 *
 * @param keepsOptimizer Whether the model's own rates and constants stand in the place of the snapshot's.
 * @throws FeaturemapError `value`, `shape` where it is of another loss, optimizer or network, and which
 */
export function checkReceiver(snapshot: Snapshot, model: Receiver, keepsOptimizer: boolean): void {
  sameWord(snapshot.loss, model.loss, "loss");
  sameWord(snapshot.optimizer, model.optimizer, "optimizer");
  if (!keepsOptimizer) {
    const rates = (values: object) => Object.keys(values).sort().join(", ");
    sameWord(rates(snapshot.hyperparameters), rates(model.hyperparameters), "hyperparameters");
    // The library's are at least 0; another's optimizer may have others.
    for (const [name, rate] of Object.entries(snapshot.hyperparameters)) {
      const least = model.hyperparameters[name]! >= 0 ? 0 : undefined;
      finiteNumber(rate, `restore: snapshot.hyperparameters.${name}`, least);
    }
    sameConstants(snapshot, model);
  }
  sameParts(snapshot.weights, model.weights, "parameter");
  sameParts(snapshot.slots, model.slots, "optimizer slot");
}

function sameWord(got: string, wanted: string, what: string): void {
  if (got === wanted) return;
  const is = `is of ${what} ${show(got)}, the model has ${show(wanted)}`;
  throw new FeaturemapError("value", `restore: the snapshot ${is}. Compile the model as the one that it was taken of.`);
}

function sameConstants({ optimizer, constants: taken }: Snapshot, { constants: own }: Receiver): void {
  const names = new Set([...Object.keys(taken), ...Object.keys(own)]);
  const constantOf = (of: Snapshot["constants"], name: string) => (Object.hasOwn(of, name) ? of[name] : undefined);
  // As `===`, and NaN is NaN.
  const other = [...names].filter((name) => ![constantOf(taken, name)].includes(constantOf(own, name)));
  if (other.length === 0) return;
  const list = (of: Snapshot["constants"]) => other.map((name) => `${name} ${show(constantOf(of, name))}`).join(", ");
  const is = `is of optimizer "${optimizer}" with ${list(taken)}, the model's has ${list(own)}`;
  const remedy = `Compile with the snapshot's, or go on with the model's: restore(model, snapshot, { optimizer: "model" })`;
  throw new FeaturemapError("value", `restore: the snapshot ${is}. ${remedy}.`);
}

function sameParts(got: readonly Weight[], wanted: readonly Part[], what: string): void {
  const length = Math.max(got.length, wanted.length);
  for (let i = 0; i < length; i++) {
    const [a, b] = [got[i], wanted[i]];
    if (a && b && a.name === b.name && sameShape(a.shape, b.shape)) continue;
    const differ = `${what} ${i} of the snapshot is ${partText(a)}, the model's is ${partText(b)}`;
    const remedy = "Build the model of the same layers, with the same optimizer";
    throw new FeaturemapError("shape", `restore: ${differ}. ${remedy}.`);
  }
}

function partText(part: { readonly name: string; readonly shape: Shape } | undefined): string {
  return part ? `${show(part.name)} ${showShape(part.shape)}` : "missing";
}
