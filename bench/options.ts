import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { CliError, firstLine } from "../cli/errors.ts";
import { NETWORK_NAMES, type NetworkName } from "./networks.ts";
import { SYSTEM_NAMES, type SystemName } from "./systems/system.ts";

export interface BenchOptions {
  readonly help: boolean;
  readonly quick: boolean;
  /** Forgets what an interrupted full run has measured. */
  readonly fresh: boolean;
  readonly systems: readonly SystemName[];
  readonly network: NetworkName;
  /** Prints Markdown tables, as docs/performance.md has them. */
  readonly markdown: boolean;
  /** Absolute path. */
  readonly json: string | undefined;
}

/** A step of tfjs-cpu takes as long as a whole round of the others; `--only` names it where it is wanted. */
const QUICK_SYSTEMS = SYSTEM_NAMES.filter((name) => name !== "tfjs-cpu");

export const HELP = `Trains a network in featuremap and its peers, in one browser, and prints them side by side.

Usage: npm run bench -- [options]

  --quick           fewer rounds, under 14 minutes; without tfjs-cpu, and without what does not fit
  --only A,B        these systems: ${SYSTEM_NAMES.join(", ")}
  --network NAME    article (default), second: 3x3 convolutions, same padding, average pooling, batch 100;
                    resnet or mobilenet: batch normalization, images of 32 x 32 x 3, batch 32;
                    resnet18, for machines with a GPU: batch 64
  --markdown        print the tables as Markdown
  --json FILE.json  write every figure, and the ratios of the training step (theirs / ours)
  --fresh           start anew; else a full run goes on where an interrupted one stopped
  --help            print this and stop

Environment: FEATUREMAP_BROWSER, FEATUREMAP_MNIST, FEATUREMAP_DEBUG as in npm run train
Ctrl-C stops; what a full run has measured is kept.
Exit status: 0 done, 1 failed or the systems do not compute the same, 2 wrong options, 130 stopped.`;

const FLAGS = {
  quick: { type: "boolean" },
  fresh: { type: "boolean" },
  only: { type: "string", multiple: true },
  network: { type: "string" },
  markdown: { type: "boolean" },
  json: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/** Reads the command line. Throws a CliError (exit 2) that names the option, what it got and what it takes. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const {
    quick = false,
    fresh = false,
    only,
    network = "article",
    markdown = false,
    json,
    help = false,
  } = parseFlags(args);
  const name = networkOf(network);
  return {
    help,
    quick,
    fresh,
    systems: systemsFor(name, only && systemsOf(only), quick),
    network: name,
    markdown,
    json: json === undefined ? undefined : jsonFile(json),
  };
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS, strict: true }).values;
  } catch (error) {
    throw wrong(`${firstLine(error).replace(/\.( .*)?$/, "")}. "npm run bench -- --help" lists the options`);
  }
}

/**
 * Systems that a network is not measured in. borch is written for layers in a row. jax-js 0.1.25 takes another second step than all others
 * on WebGPU where there are depthwise convolutions, its own on wasm among them.
 */
const LEFT_OUT: Readonly<Partial<Record<NetworkName, readonly SystemName[]>>> = {
  resnet: ["borch-webgpu"],
  mobilenet: ["borch-webgpu", "jax-js-webgpu"],
  resnet18: ["borch-webgpu"],
};

/** The systems that were named, or all that train the network. */
function systemsFor(network: NetworkName, named: SystemName[] | undefined, quick: boolean): readonly SystemName[] {
  const leftOut = LEFT_OUT[network] ?? [];
  const wrongly = named?.find((name) => leftOut.includes(name));
  if (wrongly) throw wrong(`--only: ${wrongly} is not measured on the network ${network}; bench/README.md says why`);
  return named ?? (quick ? QUICK_SYSTEMS : SYSTEM_NAMES).filter((name) => !leftOut.includes(name));
}

/** In the order of the table, each once. */
function systemsOf(only: readonly string[]): SystemName[] {
  const wanted = only.flatMap((names) => names.split(",")).map((name) => name.trim());
  const unknown = wanted.find((name) => !(SYSTEM_NAMES as readonly string[]).includes(name));
  if (unknown !== undefined) throw wrong(`--only takes ${SYSTEM_NAMES.join(", ")}, got "${unknown}"`);
  return SYSTEM_NAMES.filter((name) => wanted.includes(name));
}

export function networkOf(name: string): NetworkName {
  const known = NETWORK_NAMES.find((network) => network === name);
  if (!known) throw wrong(`--network takes ${NETWORK_NAMES.join(" or ")}, got "${name}"`);
  return known;
}

export function jsonFile(path: string): string {
  if (!path.endsWith(".json")) throw wrong(`--json takes a file name that ends in .json, got "${path}"`);
  const file = resolve(path);
  if (!statSync(dirname(file), { throwIfNoEntry: false })?.isDirectory()) {
    throw wrong(`--json: there is no folder "${dirname(file)}". Make it first`);
  }
  return file;
}

function wrong(message: string): CliError {
  return new CliError(2, `${message}.`);
}
