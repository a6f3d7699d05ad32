import { parseSafetensors, type SafeTensor, type SafetensorsFile, toSafetensors } from "../data/safetensors.ts";
import { FeaturemapError, show } from "../errors.ts";

/** What `compile` was given, as far as a file can hold it. */
export interface SavedCompile {
  /** Of a loss of one's own, its name. */
  readonly loss?: string;
  /** Without options where it does not know them. */
  readonly optimizer?: { readonly name: string; readonly config?: Readonly<Record<string, unknown>> };
  readonly metrics?: readonly string[];
}

/** What a saved model's file holds. */
export interface ModelFile {
  /** As `toConfig` wrote it; not checked here. */
  readonly config: unknown;
  readonly compile: SavedCompile;
  /** What bytes were multiplied by in training. */
  readonly byteScale?: number | undefined;
  readonly tensors: Readonly<Record<string, SafeTensor>>;
}

const FORMAT = "featuremap";

/** A safetensors file with everything else in its metadata, and a checksum over all of it. */
export function packModel({ config, compile, byteScale, tensors }: ModelFile): Uint8Array<ArrayBuffer> {
  const texts = {
    config: JSON.stringify(config),
    compile: JSON.stringify({ ...compile, ...(byteScale !== undefined && { byteScale }) }),
  };
  return toSafetensors(tensors, { format: FORMAT, ...texts, checksum: checksum({ tensors, metadata: texts }) });
}

/** @throws FeaturemapError `data` where the bytes are damaged, or were not written by `saveModel` */
export function unpackModel(bytes: Uint8Array | ArrayBuffer, where: string): ModelFile {
  const { tensors, metadata } = unpack(bytes, where);
  if (metadata.format !== FORMAT) {
    const message = "the file holds no model, since saveModel() did not write it";
    throw new FeaturemapError(
      "data",
      `${where}: ${message}. loadWeights(model, bytes) reads the weights of such files.`,
    );
  }
  const { byteScale, ...compile } = parsed(metadata, "compile", where) as SavedCompile & Pick<ModelFile, "byteScale">;
  return { config: parsed(metadata, "config", where), compile, byteScale, tensors };
}

/** A file's tensors, `saveModel`'s or another's. @throws FeaturemapError `data` where the bytes are damaged */
export function unpackWeights(bytes: Uint8Array | ArrayBuffer, where: string): ModelFile["tensors"] {
  return unpack(bytes, where).tensors;
}

function unpack(bytes: Uint8Array | ArrayBuffer, where: string): SafetensorsFile {
  if (!(bytes instanceof Uint8Array || bytes instanceof ArrayBuffer)) {
    throw new FeaturemapError("value", `${where}: bytes must be a Uint8Array or an ArrayBuffer, got ${show(bytes)}.`);
  }
  const file = parseSafetensors(bytes, where);
  const { format, checksum: wanted } = file.metadata;
  if (format === FORMAT && wanted !== checksum(file)) {
    const message = `the file is damaged, or was changed: its checksum is ${checksum(file)}, but it says ${show(wanted)}`;
    const remedy = "Weights that were changed on purpose want a file without this metadata, for loadWeights()";
    throw new FeaturemapError("data", `${where}: ${message}. ${remedy}.`);
  }
  return file;
}

function parsed(metadata: Readonly<Record<string, string>>, key: string, where: string): object {
  const text = metadata[key];
  let value: unknown;
  try {
    value = JSON.parse(text ?? "");
  } catch {
    value = undefined;
  }
  if (typeof value === "object" && value !== null) return value;
  throw new FeaturemapError("data", `${where}: the file's metadata "${key}" must be a JSON object, got ${show(text)}.`);
}

/** FNV-1a (32 bits, a word a step) over texts, names, shapes and values, in the order of the names: files may reorder. */
function checksum({ tensors, metadata }: Pick<ModelFile, "tensors"> & Pick<SafetensorsFile, "metadata">): string {
  let hash = 0x811c9dc5;
  const add = (words: ArrayLike<number>) => {
    for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i]!, 0x01000193);
  };
  const names = Object.keys(tensors).sort();
  add(new TextEncoder().encode(JSON.stringify([metadata.config, metadata.compile, names])));
  for (const name of names) {
    const { shape, data } = tensors[name]!;
    add(shape);
    add(new Uint32Array(data.buffer, data.byteOffset, data.length));
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
