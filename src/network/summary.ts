import { elements, type Shape } from "../base/shape.ts";
import type { Variable } from "../graph/variable.ts";
import type { Architecture } from "./architecture.ts";
import type { Network } from "./network.ts";

export interface LayerInfo {
  readonly name: string;
  /** Keras's class name. */
  readonly type: string;
  /** Shape of one sample of the output, or of the first of several. */
  readonly outputShape: Shape;
  /** Shapes of one sample of each output. */
  readonly outputShapes: readonly Shape[];
  /** Number of parameters and statistics. */
  readonly parameters: number;
}

/** Describes each layer, once the network is known. */
export function layersOf(network: Network | undefined): LayerInfo[] {
  return (network?.layers ?? []).map(({ name, layer, outputShapes, variables }) => ({
    name,
    type: layer.type,
    outputShape: outputShapes[0]!,
    outputShapes,
    parameters: numbersIn(variables),
  }));
}

function numbersIn(variables: readonly Variable[]): number {
  const weights = variables.filter(({ role }) => role !== "counter");
  return weights.reduce((sum, { shape }) => sum + elements(shape), 0);
}

/**
 * Prints Keras's table: layer, output shape, parameters; then the totals (`keras/src/utils/summary_utils.py`). `optimizerNumbers` counts
 * the numbers that the optimizer keeps.
 */
export function summaryText(name: string, { layers, network }: Architecture, optimizerNumbers: number): string {
  const built = network?.layers ?? [];
  const rows = layers.map(({ layer, name }, i): [string, string, string] => [
    `${name} (${layer.type})`,
    outputText(built[i]?.outputShapes),
    built[i] ? numbersIn(built[i].variables).toLocaleString("en-US") : "0 (unbuilt)",
  ]);
  return [...table(name, SUMMARY_COLUMNS, rows), ...totals(network, optimizerNumbers)].join("\n");
}

const SUMMARY_COLUMNS = ["Layer (type)", "Output Shape", "Param #"];

/** Prints the lines of Keras's totals. */
export function totals(network: Network | undefined, optimizerNumbers: number): string[] {
  const variables = network?.variables ?? [];
  const trainable = numbersIn(variables.filter((variable) => variable.trainable));
  const total = numbersIn(variables);
  const optimizer = optimizerNumbers === 0 ? [] : [` Optimizer params: ${count(optimizerNumbers)}`];
  return [
    ` Total params: ${count(total + optimizerNumbers)}`,
    ` Trainable params: ${count(trainable)}`,
    ` Non-trainable params: ${count(total - trainable)}`,
    ...optimizer,
  ];
}

/** Prints the shapes of outputs: `(None, 3)`, or of several `[(None, 3), (None, 2)]`. */
export function outputText(shapes: readonly Shape[] | undefined): string {
  const texts = shapes?.map((shape) => `(${["None", ...shape].join(", ")})`) ?? ["?"];
  return texts.length === 1 ? texts[0]! : `[${texts.join(", ")}]`;
}

/** Words a count of 32-bit floats as Keras does, with their size: `1,087,106 (4.15 MB)`. */
function count(numbers: number): string {
  const units = ["B", "KB", "MB", "GB"];
  const unit = Math.min(units.length - 1, numbers === 0 ? 0 : Math.floor(Math.log2(numbers * 4) / 10));
  return `${numbers.toLocaleString("en-US")} (${((numbers * 4) / 1024 ** unit).toFixed(2)} ${units[unit]})`;
}

/** Keras's column widths, for columns that need no more. */
const MIN_WIDTHS = [33, 24, 15];

/** Prints the lines of Keras's table. Numbers, in the third and the fifth column, are to the right. */
export function table(name: string, header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((_, i) =>
    Math.max(MIN_WIDTHS[i] ?? 0, ...[header, ...rows].map((row) => row[i]!.length + 2)),
  );
  const rule = (left: string, middle: string, right: string, line: string) =>
    left + widths.map((width) => line.repeat(width)).join(middle) + right;
  const row = (cells: readonly string[], bar: string) =>
    bar +
    cells
      .map((cell, i) =>
        i === 2 || i === 4 ? ` ${cell.padStart(widths[i]! - 2)} ` : ` ${cell.padEnd(widths[i]! - 2)} `,
      )
      .join(bar) +
    bar;
  const lines = rows.map((cells) => row(cells, "│"));
  return [
    `Model: "${name}"`,
    rule("┏", "┳", "┓", "━"),
    row(header, "┃"),
    rule("┡", "╇", "┩", "━"),
    ...lines.flatMap((line, i) => (i === 0 ? [line] : [rule("├", "┼", "┤", "─"), line])),
    rule("└", "┴", "┘", "─"),
  ];
}
