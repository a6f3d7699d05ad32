// Tables of what the kit measured of this library: steps, kernels, tiles, tests.

import { stepFlop } from "../arithmetic.ts";
import { NETWORKS, type NetworkName, PLAIN_NETWORKS } from "../networks.ts";
import { table } from "../table.ts";
import { limitMs } from "./tables-limit.ts";
import { adapterOf, bestOf, choiceText, type Parts, type Run, shippedOf, triedOf } from "./tables-run.ts";

export const NOT_MEASURED = ["Not measured in this run."];

/** Three digits that count, or all before the point; a dash for nothing. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "-";
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

export function times(theirs: number | undefined, ours: number | undefined): string {
  return theirs === undefined || !ours ? "-" : `${figure(theirs / ours)}x`;
}

function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? "-" : `${(100 * share).toFixed(1)}%`;
}

/** The least, whatever the steps of a submit. */
export function least(figures: Readonly<Record<number, number>>): number {
  return Math.min(...Object.values(figures));
}

/** The training step as it is compiled without options. */
export function shippedStep(run: Run, network: string) {
  return run.steps?.training.find((each) => each.network === network && each.variant === "shipped");
}

export function stepLines(run: Run): string[] {
  if (!run.steps) return NOT_MEASURED;
  const { quick, training, inference } = run.steps;
  const { device } = adapterOf(run);
  const counts = [...new Set([...training, ...inference].flatMap(({ deviceMs }) => Object.keys(deviceMs)))];
  const cells = (figures: Readonly<Record<string, number>>) => counts.map((steps) => figure(figures[steps]));
  const rated = (network: NetworkName, ms: number) => {
    // A rehearsal's batches are smaller.
    if (quick) return ["-", "-"];
    const limit = limitMs(device, network);
    return [figure(stepFlop(NETWORKS[network]) / 1e6 / ms), percent(limit && limit / ms)];
  };
  return [
    "Medians in ms a training step, with so many steps in a submit. Wall is what a page waits. Device is by the card's own clock.",
    "",
    ...table(
      [
        "network",
        "variant",
        "dispatches",
        ...counts.map((steps) => `wall, ${steps}`),
        ...counts.map((steps) => `device, ${steps}`),
        "useful GFLOP/s",
        "of the limit",
        "first epoch",
      ],
      training.map(({ network, variant, dispatches, wallMs, deviceMs, firstEpochMs }) => [
        network,
        variant,
        dispatches,
        ...cells(wallMs),
        ...cells(deviceMs),
        ...rated(network, least(deviceMs)),
        figure(firstEpochMs),
      ]),
      true,
    ),
    "",
    "GFLOP/s and the share of the limit are of the least device time. The first epoch includes the upload of 60,000 images, tuning and compiling.",
    "",
    "Inference, in ms, so many in a submit. Wall is of submits one after the other, with data and results on the device.",
    "",
    ...table(
      [
        "network",
        "batch",
        "dispatches",
        ...counts.map((steps) => `wall, ${steps}`),
        ...counts.map((steps) => `device, ${steps}`),
      ],
      inference.map(({ network, batch, dispatches, wallMs = {}, deviceMs }) => [
        network,
        batch,
        dispatches,
        ...cells(wallMs),
        ...cells(deviceMs),
      ]),
      true,
    ),
  ];
}

export function kernelLines(run: Run): string[] {
  const networks = (run.kernels?.networks ?? []).filter(({ network, report }) => !slow(run, network, report.stepMs));
  const reported = networks.map(({ network, report }) => [
    `Network "${network}". The whole step in one pass takes ${figure(report.stepMs)} ms, ${figure(report.gflops)} useful GFLOP/s. ` +
      `The dispatches, each in a pass of its own, add up to ${figure(report.sumMs)} ms. ` +
      `The best product of 1024 x 1024 x 1024 runs at ${figure(report.bestMatmul.gflops)} GFLOP/s (${report.bestMatmul.label}).`,
    "",
    ...table(
      ["", "kernel", "node", "for", "workgroups", "ms", "share", "MFLOP", "GFLOP/s"],
      report.dispatches.map(({ kernel, node, part, workgroups, ms, share, usefulFlop, gflops }, place) => [
        place + 1,
        kernel,
        node,
        part,
        workgroups.join("x"),
        figure(ms),
        percent(share),
        usefulFlop ? (usefulFlop / 1e6).toFixed(1) : "-",
        figure(gflops),
      ]),
      true,
    ),
  ]);
  const others = PLAIN_NETWORKS.filter((name) => networks.every(({ network }) => network !== name));
  const tables = [...reported, ...others.flatMap((network) => dispatchLines(run, network))];
  const left = run.kernels?.networks.filter(({ network, report }) => slow(run, network, report.stepMs)) ?? [];
  for (const { network, report } of left) {
    const alone = shippedStep(run, network)!.deviceMs[1]!;
    tables.push([
      `The part of the kernels timed "${network}" at a low clock: a step took ${figure(report.stepMs / alone)} times as long as in the table of steps. Its figures are left out.`,
    ]);
  }
  return tables.length > 0 ? tables.flatMap((lines, i) => (i > 0 ? ["", ...lines] : lines)) : NOT_MEASURED;
}

/** What the part of the steps tells of the dispatches of a network that the part of the kernels did not come to. */
function dispatchLines(run: Run, network: NetworkName): string[][] {
  const dispatches = shippedStep(run, network)?.dispatchUs ?? [];
  if (dispatches.length === 0) return [];
  const sum = dispatches.reduce((total, { us }) => total + us, 0);
  return [
    [
      `Network "${network}". The dispatches, each in a pass of its own, add up to ${figure(sum / 1000)} ms.`,
      "",
      ...table(
        ["", "kernel", "node", "ms", "share"],
        dispatches.map(({ kernel, node, us }, i) => [i + 1, kernel, node, figure(us / 1000), percent(us / sum)]),
        true,
      ),
    ],
  ];
}

/** A step that takes far longer among the kernels than among the steps ran at a low clock: its figures mislead. */
function slow(run: Run, network: string, stepMs: number): boolean {
  const alone = shippedStep(run, network)?.deviceMs[1];
  return alone !== undefined && !run.kernels?.quick && stepMs > 1.3 * alone;
}

/** The shipped products are parts of the step: apart from it, at the same clock, they hardly take longer together. */
function slowSweepLines(run: Run): string[] {
  if (run.sweep?.quick) return [];
  return (run.sweep?.sweeps ?? []).flatMap(({ network, tiles }) => {
    const ms = (tiles.shipped ?? []).reduce((sum, answer) => sum + (shippedOf(answer).us ?? 0), 0) / 1000;
    const step = shippedStep(run, network);
    if (!step || ms < 1.3 * least(step.deviceMs)) return [];
    return [
      `The shipped tiles of "${network}" add up to ${figure(ms)} ms, where its whole step takes ${figure(least(step.deviceMs))} ms: the card's clock was low when they were timed.`,
    ];
  });
}

export function sweepLines(run: Run): string[] {
  if (!run.sweep) return NOT_MEASURED;
  const rows = run.sweep.sweeps.flatMap(({ network, algorithms, tiles }) => [
    ...algorithms.map((answer) => ({ network, what: "algorithm", place: answer.label, answer })),
    ...Object.entries(tiles).flatMap(([name, answers]) =>
      answers.map((answer) => ({ network, what: `tile, ${name}`, place: answer.places[0]![0]!, answer })),
    ),
  ]);
  return [
    "In microseconds. A tile is rows x columns (x parts of the sum) of invocations, of so many blocks of 4 x 4 each.",
    ...slowSweepLines(run),
    "",
    ...table(
      ["network", "choice", "for", "m x n x k", "tried", "shipped", "", "best", "", "shipped / best"],
      rows.map(({ network, what, place, answer }) => {
        const [shipped, best] = [shippedOf(answer), bestOf(answer)];
        const { m, n, k, batch = 1, repeats = 1 } = answer.request ?? {};
        const shape = m ? [m * repeats, n, k].join("x") + (batch > 1 ? `, ${batch} times` : "") : "-";
        return [
          network,
          what,
          place,
          shape,
          triedOf(answer),
          figure(shipped.us),
          choiceText(shipped.choice),
          figure(best.us),
          choiceText(best.choice),
          times(shipped.us ?? undefined, best.us ?? undefined),
        ];
      }),
      true,
    ),
  ];
}

export function testLines(run: Run): string[] {
  if (!run.tests) return NOT_MEASURED;
  const { files, passed, failed, skipped, notRun } = run.tests;
  const failures = files.flatMap(({ name, failures: each }) => each.map(({ test }) => `- ${name}: ${test}`));
  return [
    `The tests of kernels, in Node on Dawn, in ${files.length} files: ${passed} passed, ${failed} failed, ${skipped} skipped.`,
    ...(notRun.length > 0 ? [`Not run, for want of time: ${notRun.join(", ")}.`] : []),
    ...(failures.length > 0 ? ["", "Failed:", "", ...failures] : []),
  ];
}

export function overheadLines(adapter: Parts["adapter"] | undefined): string[] {
  if (!adapter) return NOT_MEASURED;
  const { dependentDispatchUs, independentDispatchUs, submitMs } = adapter.overheads;
  return table(
    ["what", "microseconds"],
    [
      ["a dispatch that waits for the one before it", figure(dependentDispatchUs)],
      ["a dispatch that waits for none", figure(independentDispatchUs)],
      ["a submit of one dispatch, until it is known to be done", figure(1000 * submitMs)],
    ],
    true,
  );
}
