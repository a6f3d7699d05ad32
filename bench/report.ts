import { stepFlop } from "./arithmetic.ts";
import type { Calls } from "./ledger/ledger.ts";
import { type Machine, machine, machineText } from "./machine.ts";
import { NETWORKS, type NetworkName } from "./networks.ts";
import type { PageInfo } from "./page/protocol.ts";
import { type Measured, type State, stepsOf } from "./state.ts";
import { type Ratios, ratiosOf, type Spread, spreadOf, spreadText } from "./statistics.ts";
import { SYSTEM_NAMES, type SystemName } from "./systems/system.ts";
import { table } from "./table.ts";

export interface SystemReport {
  /** Why figures are missing. */
  readonly failed: string | null;
  /** Milliseconds a training step, warm. */
  readonly stepMs: Spread | null;
  /** Rounds behind it. 0: its samples are the second to fourth steps after the start. */
  readonly rounds: number;
  /** Milliseconds from `import()` to the end of the first step, each in a fresh profile; its parts are of the first. */
  readonly firstStepMs: Spread | null;
  readonly importMs: number | null;
  readonly setupMs: number | null;
  /** Milliseconds an inference of 1 image and of 128, upload and readback included. */
  readonly infer1Ms: Spread | null;
  readonly infer128Ms: Spread | null;
  readonly bundle: { readonly gzipBytes: number; readonly bytes: number } | null;
  readonly peakGpuBytes: number | null;
  readonly callsPerStep: Calls | null;
  readonly losses: readonly number[] | null;
}

/** The JSON of `--json`. */
export interface BenchReport {
  readonly machine: Machine;
  readonly browser: string;
  readonly adapter: string;
  readonly softwareAdapter: boolean;
  readonly threads: number;
  readonly versions: Record<string, string>;
  readonly quick: boolean;
  readonly network: NetworkName;
  readonly batchSize: number;
  /** Useful floating-point operations of a training step. */
  readonly stepFlop: number;
  readonly started: string;
  /** Of the training step: theirs / ours. */
  readonly ratios: Ratios;
  /** Of a network other than the article's: what our step costs beside the article's, measured in the same rounds. */
  readonly article: ArticleReport | null;
  readonly systems: Partial<Record<SystemName, SystemReport>>;
}

export interface ArticleReport {
  readonly stepMs: Spread;
  readonly msPerMflop: number;
  /** Our milliseconds per useful MFLOP on this network / on the article's. */
  readonly costRatio: number;
}

export interface Surroundings {
  readonly browser: string;
  readonly info: PageInfo;
  readonly versions: Record<string, string>;
  readonly network: NetworkName;
  readonly quick: boolean;
}

export function buildReport(
  { systems, started, articleStepMs }: State,
  { browser, info, versions, network, quick }: Surroundings,
): BenchReport {
  const measured = SYSTEM_NAMES.flatMap((name) => (systems[name] ? [[name, systems[name]] as const] : []));
  return {
    machine: machine(),
    browser,
    adapter: info.adapter,
    softwareAdapter: info.software,
    threads: info.threads,
    versions,
    quick,
    network,
    batchSize: NETWORKS[network].batch,
    stepFlop: stepFlop(NETWORKS[network]),
    started,
    ratios: ratiosOf(Object.fromEntries(measured.map(([name, figures]) => [name, stepsOf(figures)]))),
    article: articleReport(network, systems.featuremap, articleStepMs),
    systems: Object.fromEntries(measured.map(([name, figures]) => [name, systemReport(figures)])),
  };
}

/** Null where nothing was measured beside, as on the article's own network. */
export function articleReport(
  network: NetworkName,
  ours: Pick<Measured, "stepMs"> | undefined,
  articleStepMs: readonly number[],
): ArticleReport | null {
  const here = spreadOf(ours?.stepMs ?? []);
  const stepMs = spreadOf(articleStepMs);
  if (!here || !stepMs) return null;
  const msPerMflop = stepMs.median / (stepFlop(NETWORKS.article) / 1e6);
  return { stepMs, msPerMflop, costRatio: here.median / (stepFlop(NETWORKS[network]) / 1e6) / msPerMflop };
}

function systemReport(measured: Measured): SystemReport {
  const [first] = measured.firsts;
  return {
    failed: measured.failed ?? measured.leftOut ?? null,
    stepMs: spreadOf(stepsOf(measured)) ?? null,
    rounds: measured.stepMs.length,
    firstStepMs: spreadOf(measured.firsts.map(({ totalMs }) => totalMs)) ?? null,
    importMs: first?.importMs ?? null,
    setupMs: first?.setupMs ?? null,
    infer1Ms: spreadOf(measured.infer1Ms) ?? null,
    infer128Ms: spreadOf(measured.infer128Ms) ?? null,
    bundle: measured.bundle ?? null,
    peakGpuBytes: measured.peakBytes || null,
    callsPerStep: measured.callsPerStep ?? null,
    losses: measured.computed?.losses ?? null,
  };
}

/** The tables, for a terminal or as Markdown. */
export function reportLines(report: BenchReport, markdown = false): string[] {
  const { systems } = report;
  const named = Object.entries(systems) as [SystemName, SystemReport][];
  const ours = systems.featuremap?.stepMs?.median;
  const times = named.map(([name, system]) => [
    name,
    spreadText(system.stepMs) + (system.stepMs && system.rounds === 0 ? "*" : ""),
    ours && system.stepMs ? `${(system.stepMs.median / ours).toFixed(1)}x` : "-",
    system.stepMs ? (report.stepFlop / 1e6 / system.stepMs.median).toFixed(2) : "-",
    spreadText(system.firstStepMs),
    spreadText(system.infer1Ms),
    spreadText(system.infer128Ms),
    system.bundle ? (system.bundle.gzipBytes / 1000).toFixed(0) : "-",
    system.peakGpuBytes ? (system.peakGpuBytes / 2 ** 20).toFixed(0) : "-",
  ]);
  const used = named.filter(([, { callsPerStep }]) => callsPerStep && callsPerStep.submit > 0);
  const calls = used.map(([name, { callsPerStep: c }]) => [
    name,
    c!.dispatchWorkgroups,
    c!.submit,
    c!.beginComputePass,
    c!.createBindGroup,
    c!.createBuffer,
    c!.writeBuffer,
    c!.copyBufferToBuffer,
    c!.mapAsync,
  ]);
  const infer = `infer ${report.batchSize}`;
  const columns = [
    "system",
    "training step",
    "to ours",
    "GFLOP/s",
    "first step",
    "infer 1",
    infer,
    "KB gzip",
    "GPU MiB",
  ];
  return [
    `${report.started.slice(0, 10)}; ${machineText(report.machine)}; ${report.browser}`,
    "",
    `adapter ${report.adapter}${report.softwareAdapter ? " (software: no GPU)" : ""}; ` +
      Object.entries(report.versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(", "),
    "",
    `Network "${report.network}", batch ${report.batchSize}, ${(report.stepFlop / 1e6).toFixed(0)} useful MFLOP a step. ` +
      "Medians in ms (least-most). First step: from import(), in a fresh profile.",
    "",
    ...table(columns, times, markdown),
    ...(named.some(([, { stepMs, rounds }]) => stepMs && rounds === 0)
      ? ["", `${markdown ? "\\" : ""}* no rounds: its second to fourth steps`]
      : []),
    ...articleLines(report),
    ...(calls.length ? ["", "WebGPU calls of one more step", "", ...table(CALL_COLUMNS, calls, markdown)] : []),
    ...named.flatMap(([name, { failed }]) => (failed ? ["", `${name}: ${failed}`] : [])),
  ];
}

function articleLines({ article, network }: BenchReport): string[] {
  if (!article) return [];
  const { stepMs, msPerMflop, costRatio } = article;
  return [
    "",
    `Ours on the article's network, in the same rounds: ${spreadText(stepMs)} ms a step, ${msPerMflop.toFixed(4)} ms a useful ` +
      `MFLOP. A useful MFLOP of "${network}" costs ${costRatio.toFixed(2)} times as much.`,
  ];
}

const CALL_COLUMNS = [
  "system",
  "dispatches",
  "submits",
  "passes",
  "bind groups",
  "buffers",
  "writes",
  "copies",
  "maps",
];
