import { elements, type Shape } from "../base/shape.ts";
import { type Optimizer, slotsOf } from "../optimizers/optimizer.ts";
import type { Network } from "./network.ts";

/** Keras's table: layer, output shape, parameters; then the totals (`keras/src/utils/summary_utils.py`). */
export function summaryText(name: string, network: Network, optimizerNumbers: number): string {
  const built = network.built;
  const rows = network.layers.map(({ layer, name }, i): [string, string, string] => {
    const counted = built[i]?.parameters.reduce((sum, { shape }) => sum + elements(shape), 0);
    return [
      `${name} (${layer.type})`,
      outputText(built[i]?.outputShape),
      counted?.toLocaleString("en-US") ?? "0 (unbuilt)",
    ];
  });
  const header: [string, string, string] = ["Layer (type)", "Output Shape", "Param #"];
  const total = network.parameterCount;
  const optimizer = optimizerNumbers === 0 ? [] : [` Optimizer params: ${count(optimizerNumbers)}`];
  return [
    `Model: "${name}"`,
    ...frame(header, rows),
    ` Total params: ${count(total + optimizerNumbers)}`,
    ` Trainable params: ${count(total)}`,
    ` Non-trainable params: ${count(0)}`,
    ...optimizer,
  ].join("\n");
}

function outputText(shape: Shape | undefined): string {
  return shape ? `(${["None", ...shape].join(", ")})` : "?";
}

/** `1,087,106 (4.15 MB)`: the number of 32-bit floats and what they weigh, in Keras's words. */
function count(numbers: number): string {
  const units = ["B", "KB", "MB", "GB"];
  const unit = Math.min(units.length - 1, numbers === 0 ? 0 : Math.floor(Math.log2(numbers * 4) / 10));
  return `${numbers.toLocaleString("en-US")} (${((numbers * 4) / 1024 ** unit).toFixed(2)} ${units[unit]})`;
}

/** Keras's column widths, where nothing is wider. */
const LEAST = [33, 24, 15];

function frame(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((_, i) => Math.max(LEAST[i]!, ...[header, ...rows].map((row) => row[i]!.length + 2)));
  const rule = (left: string, middle: string, right: string, line: string) =>
    left + widths.map((width) => line.repeat(width)).join(middle) + right;
  const row = (cells: readonly string[], bar: string) =>
    bar +
    cells
      .map((cell, i) => (i === 2 ? ` ${cell.padStart(widths[i]! - 2)} ` : ` ${cell.padEnd(widths[i]! - 2)} `))
      .join(bar) +
    bar;
  const lines = rows.map((cells) => row(cells, "│"));
  return [
    rule("┏", "┳", "┓", "━"),
    row(header, "┃"),
    rule("┡", "╇", "┩", "━"),
    ...lines.flatMap((line, i) => (i === 0 ? [line] : [rule("├", "┼", "┤", "─"), line])),
    rule("└", "┴", "┘", "─"),
  ];
}

/** Numbers that an optimizer keeps beside the parameters, and Keras's two: the steps made and the learning rate. */
export function optimizerNumbers(network: Network, optimizer: Optimizer): number {
  return slotsOf(optimizer, network.parameters).reduce((sum, { shape }) => sum + elements(shape), 2);
}
