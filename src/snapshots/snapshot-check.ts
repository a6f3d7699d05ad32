import { arrayType } from "../base/arrays.ts";
import {
  type Check,
  type CheckContext,
  dictionary,
  finite,
  firstNotFinite,
  flag,
  floats,
  list,
  number,
  optional,
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
import { elements, sameShape, showShape } from "../base/shape.ts";
import { stepState } from "../graph/step-state.ts";
import { TRAINED_ROLES, type Variable } from "../graph/variable.ts";
import type { BookmarkData } from "../training/bookmark.ts";
import { type SavedVariable, type Snapshot, VERSION } from "./snapshot-format.ts";

type Fit = BookmarkData;

/** Facts about the model that a snapshot is restored to. */
export interface SnapshotTarget {
  /** Number of the model's outputs, those without a loss too. */
  readonly outputs: number;
  readonly losses: Snapshot["losses"];
  readonly optimizer: string;
  readonly constants: Snapshot["constants"];
  readonly hyperparameters: Snapshot["hyperparameters"];
  readonly variables: readonly Pick<Variable, "path" | "role" | "shape">[];
}

/**
 * Copies a snapshot and checks it by itself: types, lengths, ranges, its checksum, and whether its parts agree.
 *
 * @throws FeaturemapError `data` for something else, or a damaged snapshot
 */
export function checkedSnapshot(snapshot: unknown, where: string): Snapshot {
  const context: CheckContext = { path: `${where}: snapshot`, code: "data" };
  const { version } = record({ version: (value: unknown) => value }, { what: WANTED })(snapshot, context);
  const pending = typeof readAt(context, () => (snapshot as { then?: unknown }).then) === "function";
  if (pending || typeof version !== "number") throw wrongAt(context, `be ${WANTED}`, snapshot);
  if (version !== VERSION) {
    const remedy = "Another version's snapshots cannot be restored: train anew.";
    throw wrongAt(within(context, "version"), `be ${VERSION}`, version, remedy);
  }
  const copy = SNAPSHOT(snapshot, context);
  checkRanges(copy, context);
  const sum = checksumOf(copy);
  if (sum !== copy.checksum) {
    const message = `is damaged, or was changed: its checksum is ${sum}, but it says ${show(copy.checksum)}`;
    throw new FeaturemapError("data", `${context.path} ${message}. Restore an earlier one.`);
  }
  return copy;
}

const WANTED = "an object of snapshot(model)";

const variable: Check<SavedVariable> = (value, context) => {
  const role: Check<SavedVariable["role"]> = (role, at) => {
    const known = TRAINED_ROLES.find((each) => each === role);
    if (known) return known;
    throw wrongAt(at, `be one of ${TRAINED_ROLES.join(", ")}`, role);
  };
  const isFloats = ({ role }: Pick<SavedVariable, "role">) => !["metric", "state", "counter"].includes(role);
  const head = record<Pick<SavedVariable, "path" | "role" | "shape">>({ path: text, role, shape: list(whole(1)) }, {})(
    value,
    context,
  );
  const data = record<{ data: SavedVariable["data"] }>({
    data: (data, at) => (isFloats(head) || (head.role === "metric" && isFloatArray(data)) ? floats : words)(data, at),
  })(value, context).data;
  const { path, shape } = head;
  const at = within(context, "data");
  if (data.length !== elements(shape))
    throw wrongAt(at, `hold ${elements(shape)} numbers, for shape ${showShape(shape)}`, data);
  if (isFloats(head)) {
    const bad = firstNotFinite(data as Float32Array);
    const what = `hold finite numbers ("${path}")`;
    const remedy = "Training had gone wrong by then: restore an earlier one.";
    if (bad >= 0) throw wrongAt(at, `${what} at place ${bad}`, data[bad], remedy);
  }
  return { ...head, data };
};

/** Tells whether data are floats, which a metric may have. */
function isFloatArray(data: unknown): boolean {
  return arrayType(data) === "Float32Array";
}

/** Check of the variables: each has a path of its own, and one is the state. */
const variables: Check<SavedVariable[]> = (value, context) => {
  const copy = list(variable)(value, context);
  const paths = new Set<string>();
  copy.forEach(({ path }, i) => {
    if (paths.has(path)) throw wrongAt(within(within(context, i), "path"), "be no other's too", path);
    paths.add(path);
  });
  const states = copy.filter(({ role }) => role === "state");
  const { words: count } = stepState();
  if (states.length !== 1 || states[0]!.data.length !== count)
    throw wrongAt(context, `have one of role "state", of ${count} words`, states);
  return copy;
};

const scalar: Check<string | number | boolean | null> = (value, context) => {
  if (value === null || ["string", "number", "boolean"].includes(typeof value)) return value as string;
  throw wrongAt(context, "be a number, a string, a flag or null", value);
};

const history: Check<Fit["history"]> = (value, context) => {
  const copy = record<{ epoch: number[]; history: Record<string, number[]> }>({
    epoch: list(whole()),
    history: dictionary(list(number)),
  })(value, context);
  const { length } = copy.epoch;
  // Not each epoch is validated, and callbacks may add figures to some.
  const wrong = Object.entries(copy.history).find(
    ([name, values]) => values.length > length || (name === "loss" && values.length < length),
  );
  if (!wrong && Object.hasOwn(copy.history, "loss")) return copy as Fit["history"];
  const [name, values] = wrong ?? ["loss", undefined];
  const count = name === "loss" ? `${length} figures, one an epoch` : `at most ${length} figures, one an epoch`;
  throw wrongAt(within(within(context, "history"), name), `hold ${count}`, values);
};

const fit: Check<Fit> = (value, context) => {
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
  })(value, context);
  const { samples, batchSize, epoch, steps } = copy;
  const most = Math.ceil(samples / batchSize);
  if (steps > most) throw wrongAt(within(context, "steps"), `be at most ${most}, the steps of an epoch`, steps);
  const { epoch: epochs } = copy.history;
  // A fit may have begun with a later epoch.
  const first = epoch - epochs.length;
  if (first >= 0 && epochs.every((each, i) => each === first + i)) return copy;
  throw wrongAt(within(within(context, "history"), "epoch"), `count up to the ${epoch} epochs that are done`, epochs);
};

// A function, since a call at the top of a module would be in every app's script.
const SNAPSHOT: Check<Snapshot> = (value, context) =>
  record<Snapshot>({
    version: () => VERSION,
    losses: dictionary(text),
    optimizer: text,
    constants: dictionary(scalar),
    hyperparameters: dictionary(finite),
    variables,
    epochs: whole(),
    byteScales: dictionary(finite),
    fit: optional(fit),
    checksum: text,
  })(value, context);

/** Checks that the parts of a snapshot agree. */
function checkRanges({ variables, fit, epochs }: Snapshot, context: CheckContext): void {
  const state = variables.find(({ role }) => role === "state")!.data;
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
    throw wrongAt(within(context, "state"), where, [...state]);
  }
  if (fit && epochs < fit.epochsBefore + fit.epoch) {
    const min = fit.epochsBefore + fit.epoch;
    throw wrongAt(within(context, "epochs"), `be at least ${min}, the epochs of fit`, epochs);
  }
}

/** Computes the checksum of all of a snapshot but the checksum itself. */
export function checksumOf(snapshot: Omit<Snapshot, "checksum">): string {
  const { variables, fit, ...rest } = snapshot;
  const { history, ...recipe } = fit ?? { history: { epoch: [], history: {} } };
  const figures = Object.entries(history.history).sort(([a], [b]) => (a < b ? -1 : 1));
  const sum = new Checksum();
  const texts = [
    sorted({ ...rest, checksum: undefined }),
    sorted(rest.losses),
    sorted(rest.constants),
    sorted(rest.hyperparameters),
    sorted(rest.byteScales),
    fit === undefined ? null : sorted(recipe),
    history.epoch,
    figures.map(([name]) => name),
    variables.map(({ path, role, shape }) => [path, role, shape]),
  ];
  sum.text(JSON.stringify(texts, (_, value) => exact(value)));
  // Figures may be NaN, which JSON does not know.
  for (const [, values] of figures) sum.add(Float64Array.from(values));
  for (const { data } of variables) sum.add(data);
  return String(sum);
}

/** Replaces numbers that JSON would write as null or 0. All other values stay as they are. */
function exact(value: unknown): unknown {
  if (typeof value !== "number" || (Number.isFinite(value) && !Object.is(value, -0))) return value;
  return { number: value === 0 ? "-0" : String(value) };
}

/** Sorts entries by name, since stores may reorder them. */
function sorted(object: object): [string, unknown][] {
  const entries = Object.entries(object).filter(
    ([, value]) => value === null || !["undefined", "object"].includes(typeof value),
  );
  return entries.sort(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * Checks that a snapshot suits a model.
 *
 * @param keepsOptimizer Whether the model's own rates and constants are kept.
 * @throws FeaturemapError `value`, `shape` if it is of another loss, optimizer or network; the message says which
 */
export function checkTarget(snapshot: Snapshot, model: SnapshotTarget, keepsOptimizer: boolean): void {
  const losses = (of: Snapshot["losses"]) => JSON.stringify(Object.entries(of).sort());
  // A model's only output may have another name.
  const loss = (of: Snapshot["losses"]) => {
    const names = Object.values(of);
    return model.outputs === 1 && names.length === 1 ? names[0]! : losses(of);
  };
  sameWord(loss(snapshot.losses), loss(model.losses), "loss");
  sameWord(snapshot.optimizer, model.optimizer, "optimizer");
  if (!keepsOptimizer) {
    const rates = (values: object) => Object.keys(values).sort().join(", ");
    sameWord(rates(snapshot.hyperparameters), rates(model.hyperparameters), "hyperparameters");
    // The library's rates are at least 0. Another optimizer may have others.
    for (const [name, rate] of Object.entries(snapshot.hyperparameters)) {
      const min = model.hyperparameters[name]! >= 0 ? 0 : undefined;
      finiteNumber(rate, `restore: snapshot.hyperparameters.${name}`, min);
    }
    sameConstants(snapshot, model);
  }
  sameVariables(snapshot.variables, model.variables);
}

function sameWord(got: string, wanted: string, what: string): void {
  if (got === wanted) return;
  const is = `is of ${what} ${show(got)}, the model has ${show(wanted)}`;
  throw new FeaturemapError("value", `restore: the snapshot ${is}. Compile the model as the one that it was taken of.`);
}

function sameConstants({ optimizer, constants: taken }: Snapshot, { constants: own }: SnapshotTarget): void {
  const names = new Set([...Object.keys(taken), ...Object.keys(own)]);
  const constantOf = (of: Snapshot["constants"], name: string) => (Object.hasOwn(of, name) ? of[name] : undefined);
  // `includes` compares like `===`, but takes NaN as equal.
  const other = [...names].filter((name) => ![constantOf(taken, name)].includes(constantOf(own, name)));
  if (other.length === 0) return;
  const list = (of: Snapshot["constants"]) => other.map((name) => `${name} ${show(constantOf(of, name))}`).join(", ");
  const is = `is of optimizer "${optimizer}" with ${list(taken)}, the model's has ${list(own)}`;
  const remedy = `Compile with the snapshot's, or go on with the model's: restore(model, snapshot, { optimizer: "model" })`;
  throw new FeaturemapError("value", `restore: the snapshot ${is}. ${remedy}.`);
}

function sameVariables(got: readonly SavedVariable[], wanted: SnapshotTarget["variables"]): void {
  const length = Math.max(got.length, wanted.length);
  for (let i = 0; i < length; i++) {
    const [a, b] = [got[i], wanted[i]];
    if (a && b && a.path === b.path && a.role === b.role && sameShape(a.shape, b.shape)) continue;
    const differ = `variable ${i} of the snapshot is ${variableText(a)}, the model's is ${variableText(b)}`;
    const remedy = "Build the model of the same layers, with the same optimizer and metrics";
    throw new FeaturemapError("shape", `restore: ${differ}. ${remedy}.`);
  }
}

function variableText(variable: SnapshotTarget["variables"][number] | undefined): string {
  return variable ? `${variable.role} ${show(variable.path)} ${showShape(variable.shape)}` : "missing";
}
