import { addressText, reasonOf } from "../base/check.ts";
import { aWord, FeaturemapError, flag, knownKeys } from "../base/errors.ts";
import { nodeFiles } from "../base/node-files.ts";
import type { Callback } from "../training/callback.ts";

export interface CsvLoggerOptions {
  /** Text between two values. Default `,`. */
  readonly separator?: string;
  /** Whether lines are added to a file that exists, without a second header. A function then gets no header. Default false. */
  readonly append?: boolean;
}

/**
 * Writes a line an epoch, with all figures, as CSV: Keras's `CSVLogger` (`keras/src/callbacks/csv_logger.py`), with its columns, its line
 * ends and its numbers, so that files of both can be read alike.
 *
 * @param file Path or URL of a file, in Node, Deno or Bun; or a function that is given each piece of text, and is waited for.
 * @example
 * await model.fit(x, y, { epochs: 10, callbacks: [csvLogger("run/log.csv")] });
 * @throws FeaturemapError `value` for an option that is unknown or wrong; in `fit`, `data` where the file cannot be written
 */
export function csvLogger(
  file: string | URL | ((text: string) => void | Promise<void>),
  options: CsvLoggerOptions = {},
): Callback {
  const where = "csvLogger";
  if (typeof file !== "function") addressText(file, `${where}: file`, "be the path or URL of a file, or a function");
  knownKeys(options, ["separator", "append"], where);
  const separator = aWord(options.separator ?? ",", `${where}: separator`);
  const append = flag(options.append ?? false, `${where}: append`);
  const write = typeof file === "function" ? file : (text: string) => addTo(file, text);
  let names: string[] | undefined;
  let headed = false;
  const line = (values: readonly string[]) => `${values.map((value) => quoted(value, separator)).join(separator)}\n`;
  return {
    onTrainBegin: async () => {
      names = undefined;
      headed = append;
      if (typeof file === "function") return;
      headed = append && (await hasText(file));
      if (!append) await onFile(file, (files) => files.writeFile(file, ""));
    },
    onEpochEnd: async (epoch, logs) => {
      if (!names) {
        names = Object.keys(logs).sort();
        // An epoch without validation has columns for those to come.
        if (!names.some((name) => name.startsWith("val_"))) names.push(...names.map((name) => `val_${name}`));
        if (!headed) await write(line(["epoch", ...names]));
      }
      const values = names.map((name) => (logs[name] === undefined ? "NA" : numberText(logs[name])));
      await write(line([String(epoch), ...values]));
    },
  };
}

type Files = ReturnType<typeof nodeFiles>;

async function onFile<T>(file: string | URL, run: (files: Files) => Promise<T>): Promise<T> {
  const files = nodeFiles("csvLogger", "csvLogger with a function");
  try {
    return await run(files);
  } catch (error) {
    throw new FeaturemapError("data", `csvLogger: "${file}" cannot be written: ${reasonOf(error)}.`, { cause: error });
  }
}

const addTo = (file: string | URL, text: string) => onFile(file, (files) => files.appendFile(file, text));

/** Tells whether a file has a first line. */
async function hasText(file: string | URL): Promise<boolean> {
  return onFile(file, async (files) => {
    try {
      return (await files.stat(file)).size > 0;
    } catch (error) {
      if ((error as { code?: string }).code === "ENOENT") return false;
      throw error;
    }
  });
}

/** Quotes a value as Python's `csv` does, where it needs it. */
function quoted(value: string, separator: string): string {
  const needs = value.includes(separator) || /["\r\n]/.test(value);
  return needs ? `"${value.replaceAll('"', '""')}"` : value;
}

/** Writes a number as Python does: `3.0`, `1e-08`, `nan`. */
function numberText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    const [digits, exponent] = value.toExponential().split("e") as [string, string];
    return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
