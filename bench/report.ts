import { cpus, totalmem } from "node:os";
import type { Calls } from "./ledger/ledger.ts";
import type { PageInfo } from "./page/protocol.ts";
import { type Measured, type State, stepsOf } from "./state.ts";
import { type Ratios, ratiosOf, type Spread, spreadOf } from "./statistics.ts";
import { BATCH, SYSTEM_NAMES, type SystemName } from "./systems/system.ts";

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
  readonly machine: {
    readonly processor: string;
    readonly cores: number;
    readonly memoryBytes: number;
    readonly os: string;
  };
  readonly browser: string;
  readonly adapter: string;
  readonly softwareAdapter: boolean;
  readonly threads: number;
  readonly versions: Record<string, string>;
  readonly quick: boolean;
  readonly batchSize: number;
  readonly started: string;
  /** Of the training step: theirs / ours. */
  readonly ratios: Ratios;
  readonly systems: Partial<Record<SystemName, SystemReport>>;
}

export interface Surroundings {
  readonly browser: string;
  readonly info: PageInfo;
  readonly versions: Record<string, string>;
  readonly quick: boolean;
}

export function buildReport(
  { systems, started }: State,
  { browser, info, versions, quick }: Surroundings,
): BenchReport {
  const measured = SYSTEM_NAMES.flatMap((name) => (systems[name] ? [[name, systems[name]] as const] : []));
  return {
    machine: {
      processor: cpus()[0]?.model.trim() ?? "unknown",
      cores: cpus().length,
      memoryBytes: totalmem(),
      os: `${process.platform} ${process.arch}`,
    },
    browser,
    adapter: info.adapter,
    softwareAdapter: info.software,
    threads: info.threads,
    versions,
    quick,
    batchSize: BATCH,
    started,
    ratios: ratiosOf(Object.fromEntries(measured.map(([name, figures]) => [name, stepsOf(figures)]))),
    systems: Object.fromEntries(measured.map(([name, figures]) => [name, systemReport(figures)])),
  };
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

/** The terminal's tables. */
export function reportLines(report: BenchReport): string[] {
  const { machine, systems } = report;
  const named = Object.entries(systems) as [SystemName, SystemReport][];
  const ours = systems.featuremap?.stepMs?.median;
  const times = named.map(([name, system]) => [
    name,
    spread(system.stepMs) + (system.stepMs && system.rounds === 0 ? "*" : ""),
    ours && system.stepMs ? `${(system.stepMs.median / ours).toFixed(1)}x` : "-",
    spread(system.firstStepMs),
    spread(system.infer1Ms),
    spread(system.infer128Ms),
    system.bundle ? (system.bundle.gzipBytes / 1000).toFixed(0) : "-",
    system.peakGpuBytes ? (system.peakGpuBytes / 2 ** 20).toFixed(0) : "-",
  ]);
  const used = named.filter(([, { callsPerStep }]) => callsPerStep && callsPerStep.submit > 0);
  const calls = used.map(([name, { callsPerStep: c }]) => [
    name,
    ...[c!.dispatchWorkgroups, c!.submit, c!.beginComputePass, c!.createBindGroup, c!.createBuffer],
    ...[c!.writeBuffer, c!.copyBufferToBuffer, c!.mapAsync],
  ]);
  return [
    `${machine.processor}, ${machine.cores} cores, ${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB, ${machine.os}; ${report.browser}`,
    `adapter ${report.adapter}${report.softwareAdapter ? " (software: no GPU)" : ""}; batch ${report.batchSize}; ` +
      Object.entries(report.versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(", "),
    "",
    "Medians in ms (least-most). First step: from import(), in a fresh profile.",
    ...table(
      [
        "system",
        "training step",
        "to ours",
        "first step",
        "infer 1",
        `infer ${report.batchSize}`,
        "KB gzip",
        "GPU MiB",
      ],
      times,
    ),
    ...(named.some(([, { stepMs, rounds }]) => stepMs && rounds === 0)
      ? ["* no rounds: its second to fourth steps"]
      : []),
    ...(calls.length ? ["", "WebGPU calls of one more step", ...table(CALL_COLUMNS, calls)] : []),
    ...named.flatMap(([name, { failed }]) => (failed ? ["", `${name}: ${failed}`] : [])),
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

function spread(figures: Spread | null): string {
  if (!figures) return "-";
  const digits = figures.median < 100 ? 1 : 0;
  const [median, min, max] = [figures.median, figures.min, figures.max].map((value) => value.toFixed(digits));
  return figures.samples.length > 1 ? `${median} (${min}-${max})` : `${median}`;
}

/** Columns as wide as their widest cell; names to the left, figures to the right. */
function table(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const all = [header, ...rows].map((row) => row.map(String));
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  "),
  );
}
