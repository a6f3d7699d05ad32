import { type Check, checkedAt, dictionary, finite, list, optional, plain, record, text } from "../base/check.ts";
import { Checksum } from "../base/checksum.ts";
import { FeaturemapError, show, tagOf } from "../base/errors.ts";
import { parseSafetensors, type SafeTensor, type SafetensorsFile, toSafetensors } from "./safetensors.ts";

/** Options of `compile`, as far as a file can hold them. */
export interface SavedCompile {
  /** Name of the loss, also of one's own; by output if there are several, or the loss has options. */
  readonly loss?: string | Readonly<Record<string, string | SavedPart>> | undefined;
  readonly lossWeights?: Readonly<Record<string, number>> | undefined;
  /** Optimizer, its transforms as `SavedPart`s in its options. */
  readonly optimizer?: SavedPart | undefined;
  readonly metrics?: readonly SavedPart[] | Readonly<Record<string, readonly SavedPart[]>> | undefined;
  /** Augmentations of batches. Default: none. */
  readonly augment?: readonly SavedPart[] | undefined;
}

/** Part in a file: the name of the function that makes it, and the options, if it knows them. */
export interface SavedPart {
  readonly name: string;
  readonly config?: Readonly<Record<string, unknown>> | undefined;
}

/** Contents of a saved model's file. */
export interface ModelFile {
  /** Architecture as `toConfig` wrote it; not checked here. */
  readonly config: unknown;
  readonly compile: SavedCompile;
  /** Factors by which training multiplied the bytes of each input. */
  readonly byteScales: Readonly<Record<string, number>>;
  readonly tensors: ReadonlyMap<string, SafeTensor>;
}

/**
 * Names of the library's own entries in a file's metadata. The mark is in more than one place: a file without it counts as
 * another writer's, which has no checksum. So damage to one place must not lose the mark.
 */
const MARK = "featuremap";
const KEYS = {
  format: "format",
  config: "featuremap.config",
  compile: "featuremap.compile",
  checksum: "featuremap.checksum",
};

/** Packs a safetensors file with everything else in its metadata, and a checksum over all of it. */
export function packModel({ config, compile, byteScales, tensors }: ModelFile): Uint8Array<ArrayBuffer> {
  const texts: [string, string][] = [
    [KEYS.format, MARK],
    [KEYS.config, JSON.stringify(config)],
    [KEYS.compile, JSON.stringify({ ...compile, byteScales })],
  ];
  const sum = checksum({ tensors: new Map(tensors), metadata: new Map(texts) });
  return toSafetensors(tensors, [...texts, [KEYS.checksum, sum]]);
}

/**
 * Reads a file of `saveModel`.
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
  const { byteScales, ...compile } = checkedAt(
    COMPILE,
    parsed(metadata, KEYS.compile, where),
    `${where}: compile`,
    "data",
  );
  return { config: parsed(metadata, KEYS.config, where), compile, byteScales, tensors };
}

/** Check of a part in a file. */
export const savedPart: Check<SavedPart> = (value, context) =>
  record<SavedPart>({ name: text, config: optional(dictionary(plain)) })(value, context);

const COMPILE: Check<SavedCompile & Pick<ModelFile, "byteScales">> = (value, context) =>
  record<SavedCompile & Pick<ModelFile, "byteScales">>({
    loss: optional(either(text, dictionary(either(text, savedPart)))),
    lossWeights: optional(dictionary(finite)),
    optimizer: optional(savedPart),
    metrics: optional(either(list(savedPart), dictionary(list(savedPart)))),
    augment: optional(list(savedPart)),
    byteScales: dictionary(finite),
  })(value, context);

/** Check by `byName` for objects, and by `one` for other values. */
function either<A, B>(one: Check<A>, byName: Check<B>): Check<A | B> {
  return (value, context) => (tagOf(value) === "Object" ? byName(value, context) : one(value, context));
}

/**
 * Reads a file's tensors, `saveModel`'s or another writer's.
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

/** Computes the checksum of texts, names, types, shapes and values, in the order of the names, since files may reorder them. */
function checksum({ tensors, metadata }: SafetensorsFile): string {
  const byName = <T>(named: ReadonlyMap<string, T>) => [...named].sort(([a], [b]) => (a < b ? -1 : 1));
  const texts = byName(metadata).filter(([key]) => key !== KEYS.checksum);
  const sorted = byName(tensors);
  const sum = new Checksum();
  sum.text(JSON.stringify([texts, sorted.map(([name, { dtype = "F32", shape }]) => [name, dtype, shape])]));
  for (const [, { data }] of sorted) sum.add(data);
  return String(sum);
}
