// The section of docs/performance.md on GPUs, and its place in the document.

import { peerLines, ratioLines, torchLines } from "./tables-others.ts";
import { kernelLines, overheadLines, stepLines, sweepLines, testLines } from "./tables-ours.ts";
import { adapterOf, cardName, isQuick, type Run } from "./tables-run.ts";

export const BEGIN = "<!-- gpu tables: npm run gpu:tables -->";
export const END = "<!-- end of gpu tables -->";

/** All cards' tables, between the two comments. */
export function gpuSection(runs: readonly Run[]): string {
  const cards = runs.flatMap((run) => ["", ...cardLines(run)]);
  const lines = [
    BEGIN,
    "",
    "## On a GPU",
    "",
    "`npm run gpu:kit` makes a folder that measures a machine with a GPU and nothing else on it, `npm run gpu:tables` these tables.",
    "[bench/README.md](../bench/README.md#on-a-machine-with-a-gpu-and-nothing-else) says how. `bench/gpu/results` has the figures as JSON.",
    ...(cards.length > 0 ? cards : ["", "No card has been measured yet."]),
    "",
    END,
  ];
  return lines.join("\n");
}

function cardLines(run: Run): string[] {
  const parts: readonly (readonly [string, readonly string[]])[] = [
    ["The training step", stepLines(run)],
    ["Beside others, and beside the card's limit", ratioLines(run)],
    ["Peers in WebGPU", peerLines(run)],
    ["PyTorch on the same card", torchLines(run)],
    ["Kernels of the step", kernelLines(run)],
    ["Shipped tiles and the best ones", sweepLines(run)],
    ["What scheduling costs", overheadLines(run.adapter)],
    ["Tests", testLines(run)],
  ];
  return [
    `### ${cardName(run)}`,
    "",
    machineText(run),
    ...(isQuick(run)
      ? ["", "**A rehearsal** (`--quick`), to see that all parts run. Its figures say nothing about the card."]
      : []),
    ...parts.flatMap(([title, lines]) => ["", `#### ${title}`, "", ...lines]),
  ];
}

function machineText(run: Run): string {
  const { description, vendor, software } = adapterOf(run);
  const all = (of: (info: Run["runs"][number]) => string) => [...new Set(run.runs.map(of))].join(", ") || "unknown";
  return (
    `${all(({ date }) => date) === "unknown" ? "Day unknown" : all(({ date }) => date)}; adapter ${vendor}, driver ${description}` +
    `${software ? " (software: no GPU)" : ""}; Node ${all(({ kit }) => kit.node)}, Dawn of webgpu ${all(({ kit }) => kit.webgpu)}, ` +
    `featuremap ${all(({ kit }) => kit.featuremap)}`
  );
}

/** Puts the section where the document has one, else before its first section. */
export function withSection(document: string, section: string): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin >= 0 && end > begin) return document.slice(0, begin) + section + document.slice(end + END.length);
  if (begin >= 0 || end >= 0)
    throw new Error(`The document wants both comments in order, ${BEGIN} and ${END}, or neither.`);
  const first = document.search(/^## /m);
  const at = first < 0 ? document.length : first;
  return `${document.slice(0, at)}${section}\n\n${document.slice(at)}`;
}
