import { reasonOf } from "../base/check.ts";
import { aWord, cut, FeaturemapError } from "../base/errors.ts";
import { nodeFiles } from "../base/node-files.ts";
import { fixed } from "../base/rounding.ts";
import type { ModelCheckpointOptions } from "./model-checkpoint.ts";

/** Field of a template: `{epoch}`, `{epoch:02d}`, `{val_loss:.2f}`. */
const FIELD = /\{(\w+)(?::(?:0?(\d+)d|\.(\d+)f))?\}/g;

/**
 * Writes the files of `modelCheckpoint` in Node, Deno and Bun, by a template as Keras's: `{epoch:02d}-{val_loss:.2f}`. Epochs and batches
 * are counted from 1 in it, as in Keras. The folder is made if it is not there.
 *
 * @example
 * modelCheckpoint({ save: checkpointFiles("run/{epoch:02d}-{val_loss:.2f}.safetensors") });
 * @throws FeaturemapError `value` for something that is no path, or a field in another form. In `fit`: `value` for a field that the
 *   figures do not have; `data` where the file cannot be written.
 */
export function checkpointFiles(template: string): ModelCheckpointOptions["save"] {
  const where = "checkpointFiles";
  aWord(template, `${where}: template`);
  if (/[{}]/.test(template.replace(FIELD, ""))) {
    const forms = "Fields are {name}, {name:02d} and {name:.2f}";
    throw new FeaturemapError("value", `${where}: "${cut(template)}" has a field in another form. ${forms}.`);
  }
  return async (bytes, { epoch, batch, logs }) => {
    const values = { ...logs, epoch: epoch + 1, ...(batch !== undefined && { batch: batch + 1 }) };
    const path = pathOf(template, values);
    const files = nodeFiles(where, "modelCheckpoint({ save }) with a function");
    try {
      const folder = path.replace(/[^/\\]*$/, "");
      if (folder) await files.mkdir(folder, { recursive: true });
      await files.writeFile(path, bytes);
    } catch (error) {
      throw new FeaturemapError("data", `${where}: "${path}" cannot be written: ${reasonOf(error)}.`, { cause: error });
    }
  };
}

function pathOf(template: string, values: Readonly<Record<string, number>>): string {
  return template.replace(FIELD, (_, name: string, width?: string, digits?: string) => {
    const value = Object.hasOwn(values, name) ? values[name]! : undefined;
    if (value === undefined) {
      const known = Object.keys(values).join(", ");
      throw new FeaturemapError("value", `checkpointFiles: there is no "${cut(name)}". There are: ${known}.`);
    }
    if (digits !== undefined) return Number.isFinite(value) ? fixed(value, Number(digits)) : pythonName(value);
    return width === undefined ? String(value) : String(value).padStart(Number(width), "0");
  });
}

/** Name of a value that is not finite, as in Python. */
function pythonName(value: number): string {
  return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}
