import { type Check, checkedAt, finite, list, maybe, plain, record, text } from "../base/check.ts";
import { Checksum } from "../base/checksum.ts";
import { FeaturemapError, show } from "../base/errors.ts";
import { parseSafetensors, type SafeTensor, type SafetensorsFile, toSafetensors } from "./safetensors.ts";

/** What `compile` was given, as far as a file can hold it. */
export interface SavedCompile {
  /** Of a loss of one's own, its name. */
  readonly loss?: string | undefined;
  /** Without options where it does not know them. */
  readonly optimizer?: { readonly name: string; readonly config?: unknown } | undefined;
  readonly metrics?: readonly string[] | undefined;
}

/** What a saved model's file holds. */
export interface ModelFile {
  /** As `toConfig` wrote it; not checked here. */
  readonly config: unknown;
  readonly compile: SavedCompile;
  /** What bytes were multiplied by in training. */
  readonly byteScale?: number | undefined;
  readonly tensors: ReadonlyMap<string, SafeTensor>;
}

/**
 * What is ours in a file's metadata. The mark is in more than one place, so that damage to one does not make the file another's,
 * which has no checksum.
 */
const MARK = "featuremap";
const KEYS = {
  format: "format",
  config: "featuremap.config",
  compile: "featuremap.compile",
  checksum: "featuremap.checksum",
};

/** A safetensors file with everything else in its metadata, and a checksum over all of it. */
export function packModel({ config, compile, byteScale, tensors }: ModelFile): Uint8Array<ArrayBuffer> {
  const texts: [string, string][] = [
    [KEYS.format, MARK],
    [KEYS.config, JSON.stringify(config)],
    [KEYS.compile, JSON.stringify({ ...compile, ...(byteScale !== undefined && { byteScale }) })],
  ];
  const sum = checksum({ tensors: new Map(tensors), metadata: new Map(texts) });
  return toSafetensors(tensors, [...texts, [KEYS.checksum, sum]]);
}

/**
 * A file of `saveModel`.
 *
 * @throws FeaturemapError `data` where the bytes are damaged, or were not written by `saveModel`; `value` where they are no bytes
 */
export function unpackModel(bytes: Uint8Array | ArrayBuffer, where: string): ModelFile {
  const { tensors, metadata } = unpack(bytes, where);
  if (!isOurs(metadata)) {
    const message = "the file holds no model, since saveModel() did not write it";
    throw new FeaturemapError(
      "data",
      `${where}: ${message}. loadWeights(model, bytes) reads the weights of such files.`,
    );
  }
  const { byteScale, ...compile } = checkedAt(
    COMPILE,
    parsed(metadata, KEYS.compile, where),
    `${where}: compile`,
    "data",
  );
  return { config: parsed(metadata, KEYS.config, where), compile, byteScale, tensors };
}

const COMPILE: Check<SavedCompile & Pick<ModelFile, "byteScale">> = (value, place) =>
  record<SavedCompile & Pick<ModelFile, "byteScale">>({
    loss: maybe(text),
    optimizer: maybe(record<{ name: string; config?: unknown }>({ name: text, config: maybe(plain) })),
    metrics: maybe(list(text)),
    byteScale: maybe(finite),
  })(value, place);

/**
 * A file's tensors, `saveModel`'s or another's.
 *
 * @throws FeaturemapError `data` where the bytes are damaged; `value` where they are none
 */
export function unpackWeights(bytes: Uint8Array | ArrayBuffer, where: string): ModelFile["tensors"] {
  return unpack(bytes, where).tensors;
}

function unpack(bytes: Uint8Array | ArrayBuffer, where: string): SafetensorsFile {
  const file = parseSafetensors(bytes, where);
  const wanted = file.metadata.get(KEYS.checksum);
  if (isOurs(file.metadata) && wanted !== checksum(file)) {
    const message = `the file is damaged, or was changed: its checksum is ${checksum(file)}, but it says ${show(wanted)}`;
    const remedy = "Weights that were changed on purpose want a file without this metadata, for loadWeights()";
    throw new FeaturemapError("data", `${where}: ${message}. ${remedy}.`);
  }
  return file;
}

function isOurs(metadata: ReadonlyMap<string, string>): boolean {
  return metadata.get(KEYS.format) === MARK || [...metadata.keys()].some((key) => key.startsWith(MARK));
}

function parsed(metadata: ReadonlyMap<string, string>, key: string, where: string): object {
  const json = metadata.get(key);
  let value: unknown;
  try {
    value = JSON.parse(json ?? "");
  } catch {
    value = undefined;
  }
  if (typeof value === "object" && value !== null) return value;
  throw new FeaturemapError("data", `${where}: the file's metadata "${key}" must be a JSON object, got ${show(json)}.`);
}

/** Over texts, names, types, shapes and values, in the order of the names: files may reorder. */
function checksum({ tensors, metadata }: SafetensorsFile): string {
  const byName = <T>(named: ReadonlyMap<string, T>) => [...named].sort(([a], [b]) => (a < b ? -1 : 1));
  const texts = byName(metadata).filter(([key]) => key !== KEYS.checksum);
  const sorted = byName(tensors);
  const sum = new Checksum();
  sum.text(JSON.stringify([texts, sorted.map(([name, { dtype = "F32", shape }]) => [name, dtype, shape])]));
  for (const [, { data }] of sorted) sum.add(data);
  return String(sum);
}
