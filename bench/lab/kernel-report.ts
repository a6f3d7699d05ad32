// The tables of `npm run bench:kernels`.

import { DIRECTIONS, type Direction, stepFlop, workOf } from "../arithmetic.ts";
import { NETWORKS, type NetworkName } from "../networks.ts";
import { median, spreadOf, spreadText } from "../statistics.ts";
import { table } from "../table.ts";
import { type Attribution, attribute } from "./attribution.ts";
import { bestOf, gflopsOf, type KernelFigures, type MatmulFigures } from "./figures.ts";

/** A direction of a layer, all its dispatches together. */
export interface PartReport {
  readonly layer: string;
  readonly direction: Direction;
  readonly kernels: readonly string[];
  /** Medians of its dispatches, summed. Null where a dispatch does other parts' work, too. */
  readonly ms: number | null;
  readonly share: number | null;
  readonly usefulFlop: number;
  readonly gflops: number | null;
  /** The best plain product of matrices of equal work. */
  readonly matmul: (Rated & { readonly ms: number; readonly times: number | null }) | null;
}

interface Rated {
  readonly label: string;
  readonly gflops: number;
}

export interface KernelReport {
  readonly network: NetworkName;
  readonly method: KernelFigures["method"];
  /** The whole step in one pass, and all dispatches in passes of their own. */
  readonly stepMs: number;
  readonly sumMs: number;
  readonly usefulFlop: number;
  readonly gflops: number;
  readonly bestMatmul: Rated;
  /** Useful FLOP/s of the whole step / of the best product 1024 x 1024 x 1024. */
  readonly ofBestMatmul: number;
  readonly dispatches: readonly DispatchReport[];
  readonly parts: readonly PartReport[];
  readonly encodeMs: number;
  readonly encodedDispatches: number;
  readonly callsPerStep: Record<string, number>;
}

interface DispatchReport {
  readonly kernel: string;
  readonly node: string;
  readonly workgroups: readonly [number, number, number];
  readonly part: string;
  readonly ms: number;
  readonly share: number;
  /** Of its part where that has no other dispatch; several share theirs. */
  readonly usefulFlop: number | null;
  readonly gflops: number | null;
}

export function kernelReport(network: NetworkName, figures: KernelFigures): KernelReport {
  const { layerNames, method, stepMs, square, encode, counts } = figures;
  const attributed = figures.dispatches.map((_, i) => membersOf(figures, i));
  const sumMs = figures.dispatches.reduce((sum, { ms }) => sum + median(ms), 0);
  const nameOf = ({ layer, direction }: Attribution) =>
    layer === undefined ? "step" : `${layerNames[layer]} ${direction}`;
  const partNames = attributed.map((members) => [...new Set(members.map(nameOf))].join(SHARED));
  const work = workOf(NETWORKS[network]);
  const dispatches = figures.dispatches.map(({ kernel, node, workgroups, ms: samples }, i): DispatchReport => {
    const ms = median(samples);
    const part = partNames[i]!;
    const { layer, direction } = attributed[i]![0]!;
    const alone = partNames.filter((name) => name.split(SHARED).some((each) => part.split(SHARED).includes(each)));
    const usefulFlop =
      (alone.length === 1 && !part.includes(SHARED) && work.find((each) => each.layer === layer)?.flop[direction]) ||
      null;
    const gflops = usefulFlop && usefulFlop / 1e6 / ms;
    return { kernel, node, workgroups, part, ms, share: ms / sumMs, usefulFlop, gflops };
  });
  const usefulFlop = stepFlop(NETWORKS[network]);
  const gflops = usefulFlop / 1e6 / median(stepMs);
  const best = bestOf(square);
  return {
    network,
    method,
    stepMs: median(stepMs),
    sumMs,
    usefulFlop,
    gflops,
    bestMatmul: { label: best.figures.label, gflops: best.gflops },
    ofBestMatmul: gflops / best.gflops,
    dispatches,
    parts: partsOf(network, figures, dispatches, sumMs),
    encodeMs: median(encode.ms),
    encodedDispatches: encode.dispatches,
    callsPerStep: Object.fromEntries(Object.entries(counts.calls).map(([name, calls]) => [name, calls / counts.steps])),
  };
}

/** Joins the names of a dispatch's nodes, where the plan merged several, and of the parts that share a dispatch. */
const SHARED = " + ";

/** What each node of a dispatch works for. */
function membersOf({ dispatches, layerNames }: KernelFigures, at: number): Attribution[] {
  const { node, kernel } = dispatches[at]!;
  const kernels = kernel.split(SHARED);
  return node.split(SHARED).map((name, i) => {
    const member = { ...dispatches[at]!, node: name, kernel: kernels[i] ?? kernel };
    const around = dispatches.map((dispatch, j) => (j === at ? member : dispatch));
    return attribute(around, layerNames)[at]!;
  });
}

/** A part of which a dispatch belongs to other parts, too, has no time of its own. */
function partsOf(
  network: NetworkName,
  { layerNames, equal }: KernelFigures,
  dispatches: readonly DispatchReport[],
  sumMs: number,
): PartReport[] {
  const work = workOf(NETWORKS[network]);
  const parts = layerNames.flatMap((layer, i) =>
    DIRECTIONS.flatMap((direction): PartReport[] => {
      const name = `${layer} ${direction}`;
      const touched = dispatches.filter(({ part }) => part.split(SHARED).includes(name));
      const own = touched.some(({ part }) => part !== name) ? [] : touched;
      const flop = work.find((each) => each.layer === i)?.flop[direction] ?? 0;
      if (own.length === 0 && flop === 0) return [];
      const ms = own.length ? own.reduce((sum, each) => sum + each.ms, 0) : null;
      const gflops = ms === null || flop === 0 ? null : flop / 1e6 / ms;
      const matmuls = equal.find((each) => each.layer === i)?.matmuls;
      return [
        {
          layer,
          direction,
          kernels: own.map(({ kernel }) => kernel),
          ms,
          share: ms === null ? null : ms / sumMs,
          usefulFlop: flop,
          gflops,
          matmul: matmuls && flop > 0 ? equalWork(matmuls, flop, gflops) : null,
        },
      ];
    }),
  );
  return parts;
}

function equalWork(matmuls: readonly MatmulFigures[], flop: number, ours: number | null): PartReport["matmul"] {
  const { figures, gflops } = bestOf(matmuls);
  const label = `${figures.m}x${figures.n}x${figures.k} by ${figures.label}`;
  return { label, gflops, ms: flop / 1e6 / gflops, times: ours === null ? null : ours / gflops };
}

export function kernelLines(report: KernelReport, figures: KernelFigures, markdown: boolean): string[] {
  const percent = (share: number | null) => (share === null ? "-" : `${(100 * share).toFixed(1)}%`);
  const number = (value: number | null | undefined, digits = 2) => value?.toFixed(digits) ?? "-";
  const { batch } = NETWORKS[report.network];
  return [
    `Network "${report.network}", batch ${batch}: ${(report.usefulFlop / 1e6).toFixed(1)} useful MFLOP a step ` +
      "(the direct algorithm's, two a multiply-add).",
    methodText(report),
    "",
    `The whole step, one pass: ${spreadText(spreadOf(figures.stepMs))} ms, ${number(report.gflops)} useful GFLOP/s: ` +
      `${number(report.ofBestMatmul)} times the best product 1024x1024x1024 ` +
      `(${report.bestMatmul.label}, ${number(report.bestMatmul.gflops)} GFLOP/s).`,
    "",
    ...table(
      ["", "kernel", "node", "workgroups", "for", "ms", "share", "MFLOP", "GFLOP/s"],
      report.dispatches.map(({ kernel, node, workgroups, part, share, usefulFlop, gflops }, i) => [
        i + 1,
        kernel,
        node,
        workgroups.join("x"),
        part,
        spreadText(spreadOf(figures.dispatches[i]!.ms)),
        percent(share),
        usefulFlop ? (usefulFlop / 1e6).toFixed(1) : "-",
        number(gflops),
      ]),
      markdown,
    ),
    "",
    "By layer and direction. Equal work: the fastest plain product of as many FLOP, in the layer's shape or as a cube.",
    "",
    ...table(
      [
        "layer",
        "direction",
        "kernels",
        "ms",
        "share",
        "MFLOP",
        "GFLOP/s",
        "equal work ms",
        "its GFLOP/s",
        "times",
        "by",
      ],
      report.parts.map(({ layer, direction, kernels, ms, share, usefulFlop, gflops, matmul }) => [
        layer,
        direction,
        kernels.length || "shared",
        number(ms, 3),
        percent(share),
        usefulFlop ? (usefulFlop / 1e6).toFixed(1) : "-",
        number(gflops),
        number(matmul?.ms, 3),
        number(matmul?.gflops),
        number(matmul?.times),
        matmul?.label ?? "-",
      ]),
      markdown,
    ),
    "",
    "Products 1024x1024x1024",
    "",
    ...table(
      ["by", "ms", "GFLOP/s"],
      [...figures.square]
        .sort((a, b) => gflopsOf(b) - gflopsOf(a))
        .map((matmul) => [matmul.label, spreadText(spreadOf(matmul.ms)), gflopsOf(matmul).toFixed(2)]),
      markdown,
    ),
    "",
    `JavaScript to encode a step of the plan made for a GPU (${report.encodedDispatches} dispatches), without its submit: ` +
      `${report.encodeMs.toFixed(4)} ms.`,
    `WebGPU calls a step, 16 steps a submit: ${callsText(report.callsPerStep)}.`,
  ];
}

function methodText({ method, sumMs }: KernelReport): string {
  const sum = `Their medians add up to ${sumMs.toFixed(2)} ms.`;
  return method === "timestamps"
    ? `Each dispatch in a pass of its own, by timestamp queries; medians (least-most) over interleaved rounds. ${sum}`
    : "This device has no timestamp-query: each dispatch was submitted alone and waited for, by the wall clock, what an " +
        `empty submit takes subtracted. Short kernels drown in that. ${sum}`;
}

const SHOWN = {
  dispatchWorkgroups: "dispatches",
  submit: "submits",
  beginComputePass: "passes",
  createBindGroup: "bind groups",
  createBuffer: "buffers",
  writeBuffer: "writes",
  copyBufferToBuffer: "copies",
  mapAsync: "maps",
} as const;

function callsText(calls: Record<string, number>): string {
  return Object.entries(SHOWN)
    .map(([name, words]) => `${Number((calls[name] ?? 0).toFixed(4))} ${words}`)
    .join(", ");
}
