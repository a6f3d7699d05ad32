import { anObject, cut, FeaturemapError, knownKeys, wrong } from "../base/errors.ts";
import { batchShape, elements } from "../base/shape.ts";
import { type Column, columnsOf } from "../data/columns.ts";
import { Dataset } from "../data/dataset.ts";
import type { OwnedBuffer } from "../gpu/buffers.ts";
import { type LambdaFunction, lambda } from "../layers/lambda.ts";
import type { LayerSpec } from "../layers/layer.ts";
import type { AnyModel } from "../model/get-layer.ts";
import { INTERNALS, internalsOf } from "../model/internals.ts";
import { sequential } from "../model/sequential.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { FRAMES_MS } from "../training/pace.ts";
import { noCounts } from "../training/sweep.ts";

/**
 * What a column becomes: an expression or a function as `lambda` takes them, a layer, layers in a row, or a compiled model of one input and
 * one output.
 */
export type ColumnMapping = Expression | LambdaFunction | LayerSpec | readonly LayerSpec[] | AnyModel;

/** Mappings of samples and labels; of several columns by name. Columns that are not named stay as they are. */
export interface DatasetMapping {
  readonly x?: ColumnMapping | Readonly<Record<string, ColumnMapping>>;
  readonly y?: ColumnMapping | Readonly<Record<string, ColumnMapping>>;
}

/** Column and what it becomes, with its place in messages. */
interface MappedColumn {
  readonly column: Column;
  readonly by: ColumnMapping;
  readonly where: string;
}

/** Columns of a mapped data set, and those buffers that are its own. */
export interface Mapped {
  readonly columns: readonly Column[];
  readonly owned: readonly OwnedBuffer[];
  /** What was mapped to what, in words. */
  readonly identity: string;
}

/** Rows that are computed at once. Results do not depend on it. */
const BATCH = 128;

/** Computes mapped columns on the GPU, for all rows. @throws FeaturemapError as `SelectableDataset.map` does */
export async function mapColumns(dataset: Dataset, mapping: DatasetMapping): Promise<Mapped> {
  const mapped = mappedColumns(dataset, mapping);
  const columns = new Map<Column, Column>();
  const owned: OwnedBuffer[] = [];
  const words: string[] = [];
  try {
    for (const each of mapped) {
      const made = await mapColumn(dataset, each);
      owned.push(made.owned);
      columns.set(each.column, made.column);
      words.push(`${each.where} by ${made.identity}`);
    }
    dataset.assertLive();
  } catch (error) {
    for (const { release } of owned) release();
    throw error;
  }
  return { columns: dataset.columns.map((column) => columns.get(column) ?? column), owned, identity: words.join(", ") };
}

/** Finds the columns that are named. */
function mappedColumns(dataset: Dataset, mapping: DatasetMapping): MappedColumn[] {
  knownKeys(mapping, ["x", "y"], "map");
  const roles = [
    ["x", "input"],
    ["y", "label"],
  ] as const;
  const mapped = roles.flatMap(([key, role]) => {
    const given = mapping[key];
    if (given === undefined) return [];
    const columns = columnsOf(dataset, role);
    const where = `map: ${key}`;
    if (isOne(given)) {
      if (columns.length === 1) return [{ column: columns[0]!, by: given, where }];
      const names = columns.map(({ name }) => name).join(", ") || "none";
      throw wrong(where, `be by name, of the columns ${names}`, given);
    }
    return Object.entries(anObject(given, where)).map(([name, by]) => {
      const column = columns.find((each) => each.name === name);
      if (column && isOne(by)) return { column, by, where: `${where}.${name}` };
      if (column) throw notMapping(`${where}.${name}`, by);
      const has = columns.map((each) => each.name ?? "one without a name").join(", ") || "none";
      throw new FeaturemapError("value", `${where}: there is no column "${cut(name)}". It has: ${has}.`);
    });
  });
  if (mapped.length === 0) throw new FeaturemapError("value", "map: name a column to map: map({ x: ... }).");
  return mapped;
}

/** Tells whether it is the mapping of one column. */
function isOne(by: unknown): by is ColumnMapping {
  if (typeof by === "number" || typeof by === "string" || typeof by === "function" || Array.isArray(by)) return true;
  return INTERNALS in Object(by) || isLayer(by);
}

/** Tells whether it is a layer, which may be called as a function, too. */
function isLayer(by: unknown): by is LayerSpec {
  const { type, call } = Object(by);
  return typeof type === "string" && typeof call === "function";
}

function isModel(by: ColumnMapping): by is AnyModel {
  return INTERNALS in Object(by);
}

function notMapping(where: string, by: unknown): FeaturemapError {
  return wrong(where, "be an expression, a layer, a list of layers or a compiled model", by);
}

/** Gives the layers of a mapping that is no model. */
function layersOf(by: Exclude<ColumnMapping, AnyModel>, where: string): readonly LayerSpec[] {
  if (isLayer(by)) return [by];
  if (typeof by === "function" || typeof by === "string" || typeof by === "number") return [lambda(by)];
  if (!Array.isArray(by) || by.length === 0) throw notMapping(where, by);
  return typeof by[0] === "string" ? [lambda(by as unknown as Expression)] : (by as readonly LayerSpec[]);
}

async function mapColumn(
  dataset: Dataset,
  { column, by, where }: MappedColumn,
): Promise<{ readonly column: Column; readonly owned: OwnedBuffer; readonly identity: string }> {
  const { runtime, rows } = dataset;
  const layers = isModel(by) ? [] : layersOf(by, where);
  const own = isModel(by) ? undefined : sequential(layers);
  const model = own ?? (by as AnyModel);
  try {
    await own?.compile({ runtime });
    // The column as the samples of a model, without an order: every row is computed.
    const view = new Dataset(runtime, { size: rows, columns: [{ ...column, role: "input", name: undefined }] }, [], "");
    const { architecture } = model[INTERNALS];
    architecture.keep(architecture.networkFor(view, where));
    const { compiled, network, training } = await internalsOf(model, where);
    const [output, more] = network.outputs;
    if (more) throw wrong(where, "be a model of one output", network.outputs.map(({ name }) => name).join(", "));
    const { dtype, scale } = column;
    const byteScale = dtype === "u8" ? training.byteScales[network.inputs[0]!.name] : undefined;
    const feed = { dataset: view, columns: [{ ...view.columns[0]!, index: 0, scale: scale ?? byteScale ?? 1 }] };
    const label = where.replace("map: ", "mapped ");
    const owned = await runtime.buffers.createOne({ label, bytes: rows * elements(output!.shape) * 4 });
    try {
      await compiled.sweeper.inTurn(async () => {
        const { sweeper } = compiled;
        const settings = { batchSize: BATCH, stepsPerExecution: "auto", submitMs: FRAMES_MS } as const;
        const ready = await sweeper.plan("predict", feed, settings);
        const run = sweeper.bind("inference", ready, feed, { predictions: [owned.buffer] });
        await sweeper.sweep({ ready, run, kind: "inference", feed }, settings, { counts: noCounts() });
      });
    } catch (error) {
      owned.release();
      throw error;
    }
    const made: Column = {
      role: column.role,
      name: column.name,
      shape: output!.shape,
      dtype: "f32",
      scale: undefined,
      largestClass: undefined,
      buffer: owned.buffer,
    };
    const parts = isModel(by)
      ? network.layers.map(({ layer }) => layer.type)
      : layers.map(({ type, config }) => [type, config]);
    return { column: made, owned, identity: `${JSON.stringify(parts)} to ${batchShape(output!.shape)}` };
  } finally {
    own?.dispose();
  }
}
