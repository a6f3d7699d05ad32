// What every part of the GPU kit is: a program for Node on Dawn that measures one thing and writes its figures as JSON.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { installDawn, loadDawn } from "../dawn.ts";
import { IMAGES_AT, LABELS_AT, PIXELS } from "../systems/system.ts";

export interface Part {
  /** Fewer rounds and points: a rehearsal, or a first look. */
  readonly quick: boolean;
  /** MNIST's first images and labels; those of the kit are repeated where more are asked for. */
  readonly load: (samples: number) => Promise<{ images: Uint8Array<ArrayBuffer>; labels: Uint8Array<ArrayBuffer> }>;
  /** Writes the figures that there are so far, so that a part which is stopped loses none. */
  save(figures: object): void;
  /** Says what goes on, with the seconds since the start. */
  say(line: string): void;
}

/**
 * Runs a part and ends the process: with status 1 where it throws. `--out FILE` is where the figures go, `--kit FOLDER` holds
 * `webgpu/` and `mnist/`, `--quick` measures less.
 */
export async function runPart(name: string, measure: (part: Part) => Promise<void>): Promise<never> {
  const { values } = parseArgs({
    options: { out: { type: "string" }, kit: { type: "string" }, quick: { type: "boolean", default: false } },
  });
  const { out, kit, quick } = values;
  if (!out || !kit) throw new Error(`The part ${name} wants --out FILE.json and --kit FOLDER.`);
  const begin = performance.now();
  const seconds = () => ((performance.now() - begin) / 1000).toFixed(1);
  const say = (line: string) => console.log(`[${name} ${seconds()} s] ${line}`);
  try {
    installDawn(await loadDawn(join(kit, "webgpu/index.js")));
    await measure({
      quick,
      say,
      load: async (samples) => mnist(join(kit, "mnist"), samples),
      save: (figures) => writeWhole(out, { part: name, quick, seconds: Number(seconds()), ...figures }),
    });
    say("done");
    process.exit(0);
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
}

/** Some libraries look for `require`. */
globalThis.require ??= createRequire(import.meta.url);

function mnist(folder: string, samples: number) {
  const read = (file: string, at: number, bytes: number) => {
    const held = new Uint8Array(readFileSync(join(folder, file))).subarray(at);
    const wanted = new Uint8Array(samples * bytes);
    for (let i = 0; i < wanted.length; i += held.length) wanted.set(held.subarray(0, wanted.length - i), i);
    return wanted;
  };
  return {
    images: read("train-images-idx3-ubyte", IMAGES_AT, PIXELS),
    labels: read("train-labels-idx1-ubyte", LABELS_AT, 1),
  };
}

/** A reader never sees half a file. */
function writeWhole(file: string, figures: object): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.part`, `${JSON.stringify(figures)}\n`);
  renameSync(`${file}.part`, file);
}
