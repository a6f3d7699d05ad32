// The lab in Node, on Dawn by the `webgpu` package. Vite bundles this file: the shaders are in it.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Dawn, installDawn } from "../dawn.ts";
import { IMAGES_AT, LABELS_AT, PIXELS } from "../systems/system.ts";
import { createLab, type Lab } from "./lab.ts";

/** `gpu`, and the classes of WebGPU, become global as they are in a page. */
export function nodeLab(dawn: Dawn, mnistFolder: string, say: (line: string) => void): Lab {
  installDawn(dawn);
  const bytesOf = (name: string, from: number, length: number) =>
    new Uint8Array(readFileSync(join(mnistFolder, name))).slice(from, from + length);
  return createLab(
    `Node ${process.version}, Dawn`,
    async (samples) => ({
      images: bytesOf("train-images-idx3-ubyte", IMAGES_AT, samples * PIXELS),
      labels: bytesOf("train-labels-idx1-ubyte", LABELS_AT, samples),
    }),
    say,
  );
}
