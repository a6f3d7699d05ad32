// What a run of the GPU kit left, checked: the JSON of its parts, as far as they are there.

import { CliError } from "../../cli/errors.ts";
import type { Choice } from "../../src/graph/tile.ts";
import type { KernelFigures } from "../lab/figures.ts";
import type { KernelReport } from "../lab/kernel-report.ts";
import type { NetworkName } from "../networks.ts";
import type { Overheads } from "./overheads.ts";
import type { ResnetFigures } from "./parts/resnet18.ts";
import type { InferenceFigures, StepFigures } from "./parts/steps.ts";
import type { PeerFigures as MeasuredPeer } from "./peers-turns.ts";
import type { Answer, NetworkSweep, Timed } from "./sweep.ts";
import type { RunResult } from "./tests/result.ts";

export interface Adapter {
  readonly vendor: string;
  readonly device: string;
  readonly description: string;
  readonly software: boolean;
}

interface Measured {
  readonly quick: boolean;
  readonly seconds: number;
  readonly adapter: Adapter;
}

/** What run.sh says of a run in its log: the day, and what the kit was made of. */
export interface RunInfo {
  readonly date: string;
  readonly quick: boolean;
  readonly kit: { readonly node: string; readonly webgpu: string; readonly featuremap: string };
}

/** Figures of a system, of which a part that was stopped may lack any. */
export type PeerFigures = Pick<MeasuredPeer, "name"> & Partial<MeasuredPeer>;

export interface TorchRow {
  readonly network: string;
  readonly batch: number;
  readonly way: string;
  readonly ms?: number;
  readonly failed?: string;
}

/** A file each: `steps` is steps.json. */
export interface Parts {
  readonly adapter: Measured & { readonly overheads: Overheads };
  readonly tests: RunResult;
  readonly steps: Measured & { readonly training: StepFigures[]; readonly inference: InferenceFigures[] };
  readonly kernels: Measured & {
    readonly networks: readonly { network: NetworkName; report: KernelReport; figures: KernelFigures }[];
  };
  readonly resnet18: Measured & { readonly rows: readonly ResnetFigures[] };
  readonly sweep: Measured & { readonly sweeps: readonly NetworkSweep[] };
  readonly torch: {
    readonly quick: boolean;
    readonly device: string;
    readonly torch: string;
    readonly rows: readonly TorchRow[];
  };
  readonly peers: Measured & {
    readonly networks: readonly { network: NetworkName; agreement: string; systems: readonly PeerFigures[] }[];
  };
}

export type PartName = keyof Parts;

/** `runs`: of every folder that the parts came from. */
export type Run = Partial<Parts> & { readonly runs: readonly RunInfo[] };

export const PART_NAMES = ["adapter", "tests", "steps", "kernels", "resnet18", "sweep", "torch", "peers"] as const;

/** Numbers that a part must have for its tables. */
const FIGURES: { readonly [Name in PartName]: (part: Parts[Name]) => readonly unknown[] } = {
  adapter: ({ overheads }) => [overheads.dependentDispatchUs, overheads.independentDispatchUs, overheads.submitMs],
  tests: ({ files, passed, failed, skipped }) => [files.length, passed, failed, skipped],
  steps: ({ training, inference }) => [
    ...training.flatMap(({ wallMs, deviceMs }) => [...Object.values(wallMs), ...Object.values(deviceMs)]),
    ...inference.flatMap(({ deviceMs }) => Object.values(deviceMs)),
  ],
  kernels: ({ networks }) =>
    networks.flatMap(({ report }) => [report.stepMs, report.gflops, ...report.dispatches.map(({ ms }) => ms)]),
  resnet18: ({ rows }) =>
    rows.flatMap(({ batch, flop, wallMs, deviceMs }) => [
      batch,
      flop,
      ...Object.values(wallMs),
      ...Object.values(deviceMs),
    ]),
  sweep: ({ sweeps }) => sweeps.flatMap((sweep) => answersOf(sweep).map(({ candidates }) => candidates.length)),
  torch: ({ rows }) => rows.filter(({ failed }) => failed === undefined).map(({ ms }) => ms),
  peers: ({ networks }) =>
    networks.flatMap(({ systems }) =>
      systems
        .filter(({ failed }) => !failed)
        .flatMap(({ stepMs, infer1Ms, inferBatchMs }) => [
          stepMs!.length,
          ...[stepMs, infer1Ms, inferBatchMs].flatMap((samples) => samples ?? []),
        ]),
    ),
};

/**
 * Checks the texts of a run's files, by the names of their parts.
 *
 * @throws CliError (exit 1) where one is not what its part writes, or parts come from several cards
 */
export function checkedRun(texts: Partial<Record<PartName, string>>, runs: readonly RunInfo[]): Run {
  const parts = Object.entries(texts).map(([name, text]) => [name, checkedPart(name as PartName, text)]);
  const run = { ...Object.fromEntries(parts), runs } as Run;
  const devices = new Set(adaptersOf(run).map(cardOf));
  if (devices.size === 0)
    throw new CliError(1, `No part of the run names its adapter, got ${Object.keys(texts).join(", ") || "no part"}.`);
  if (devices.size > 1) throw new CliError(1, `The parts of a run are of one card, got ${[...devices].join(", ")}.`);
  return run;
}

function checkedPart(name: PartName, text: string): unknown {
  const refuse = (why: string): never => {
    throw new CliError(1, `${name}.json is not what the part ${name} writes: ${why}.`);
  };
  let figures: readonly unknown[] = [];
  let part: unknown;
  try {
    part = JSON.parse(text);
    figures = (FIGURES[name] as (part: unknown) => readonly unknown[])(part);
  } catch (error) {
    refuse((error as Error).message);
  }
  // Numbers that are not finite become null in JSON.
  const wrong = figures.findIndex((figure) => typeof figure !== "number" || figure < 0);
  if (wrong >= 0) refuse(`a figure is ${figures[wrong]}`);
  return part;
}

function adaptersOf(run: Run): Adapter[] {
  return PART_NAMES.flatMap((name) => {
    const part = run[name] as { adapter?: Adapter } | undefined;
    return part?.adapter ? [part.adapter] : [];
  });
}

export function adapterOf(run: Run): Adapter {
  return adaptersOf(run)[0]!;
}

function cardOf({ device, description, vendor }: Adapter): string {
  return device || description || vendor || "unknown";
}

/** The name of the card's folder: `nvidia-h100-80gb-hbm3`. */
export function slugOf(run: Run): string {
  return cardOf(adapterOf(run))
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}

/** PyTorch's name of the card, else one made of the adapter's. */
export function cardName(run: Run): string {
  const { device } = run.torch ?? {};
  return device && !device.startsWith("cpu") ? device : slugOf(run).replaceAll("-", " ").toUpperCase();
}

/** Whether any part was measured with `--quick`. */
export function isQuick(run: Run): boolean {
  return run.runs.some(({ quick }) => quick) || PART_NAMES.some((name) => (run[name] as Measured | undefined)?.quick);
}

/** The last line of a log that says what run it is of. */
export function runInfoOf(log: string): RunInfo | undefined {
  const line = log.split("\n").findLast((each) => each.startsWith("== run {"));
  return line === undefined ? undefined : (JSON.parse(line.slice("== run ".length)) as RunInfo);
}

/** An answer of which some candidates may have been left out. */
export type KeptAnswer = Answer & { readonly tried?: number };

export function answersOf({ algorithms, tiles }: NetworkSweep): KeptAnswer[] {
  return [...algorithms, ...Object.values(tiles).flat()];
}

/** What is shipped is asked first. */
export function shippedOf({ candidates }: Answer): Timed {
  return candidates[0]!;
}

export function bestOf({ candidates }: Answer): Timed {
  const least = Math.min(...candidates.map(({ us }) => us ?? Number.POSITIVE_INFINITY));
  return candidates.find(({ us }) => us === least) ?? candidates[0]!;
}

export function triedOf({ candidates, tried = candidates.length }: KeptAnswer): number {
  return tried;
}

/** Candidates of a question that are kept, beside the shipped one. */
const KEPT = 12;

/** Of each question the shipped candidate, still the first, and the best ones: the rest is megabytes. */
export function reducedSweep(sweep: Parts["sweep"]): Parts["sweep"] {
  const reduced = (answer: KeptAnswer): KeptAnswer => {
    const [shipped, ...others] = answer.candidates;
    const able = others.filter(({ us }) => us !== null).sort((a, b) => a.us! - b.us!);
    const candidates = [...(shipped ? [shipped] : []), ...able.slice(0, KEPT)];
    return { ...answer, tried: triedOf(answer), candidates };
  };
  const sweeps = sweep.sweeps.map(({ network, algorithms, tiles }) => ({
    network,
    algorithms: algorithms.map(reduced),
    tiles: Object.fromEntries(Object.entries(tiles).map(([name, answers]) => [name, answers.map(reduced)])),
  }));
  return { ...sweep, sweeps };
}

/** A choice in a few words: `winograd8`, or rows x columns of invocations, of what blocks, and what else a tile has. */
export function choiceText(choice: readonly Choice[]): string {
  const texts = choice.map((each) => {
    if ("algorithm" in each) return each.algorithm;
    const { blocksM, blocksN, workgroupM, workgroupN, workgroupK = 1, slices, depth, hoisted, quad, shared } = each;
    return [
      `${workgroupM}x${workgroupN}${workgroupK > 1 ? `x${workgroupK}` : ""} of ${blocksM}x${blocksN}`,
      ...(slices > 1 ? [`${slices} slices`] : []),
      ...(depth ? [`depth ${depth}`] : []),
      ...(hoisted ? ["hoisted"] : []),
      ...(quad ? ["quad"] : []),
      ...(shared || hoisted || quad ? [] : ["own loads"]),
    ].join(", ");
  });
  return [...new Set(texts)].join(" + ");
}

/** Failures by the first line of their message: the rest has the paths of one machine. */
export function shortTests(tests: Parts["tests"]): Parts["tests"] {
  const files = tests.files.map((file) => ({
    ...file,
    failures: file.failures.map((failure) => ({ ...failure, message: failure.message.split("\n")[0]! })),
  }));
  return { ...tests, files };
}
