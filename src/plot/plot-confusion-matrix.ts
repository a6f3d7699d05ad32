import { finiteNumber, knownKeys, listOf, optionalText, wrong } from "../base/errors.ts";
import { element, FONT, fitted, svgDocument, textElement, widthOf } from "./svg.ts";

export interface PlotConfusionMatrixOptions {
  /** Names of the classes. Default: their numbers. */
  readonly labels?: readonly string[];
  /** Width and height of a cell in pixels, 4 to 512. Default: 44, and less from 13 classes on. */
  readonly cellSize?: number;
  /** Line above all. Default: none. */
  readonly title?: string;
}

const MARGIN = 12;
/** Longest label, in pixels. */
const LONGEST = 140;
const LARGEST = { cell: 512, classes: 1024 };

/**
 * Draws a confusion matrix as SVG text. Rows are the true classes, columns the predicted ones. A cell is as dark as its share of its row,
 * and has its count where there is room. What is right is on the diagonal, which is framed.
 *
 * Ink is the page's `currentColor`, as in `plotModel`. The cells' colour is `--plot-1`.
 *
 * @param matrix Counts, a row for each true class, at most 1024
 * @throws FeaturemapError `value` unless it is a square of numbers of at least 0, and for wrong options
 * @example
 * plotConfusionMatrix([[48, 2], [5, 45]], { labels: ["cat", "dog"] });
 */
export function plotConfusionMatrix(
  matrix: readonly ArrayLike<number>[],
  options: PlotConfusionMatrixOptions = {},
): string {
  const where = "plotConfusionMatrix";
  knownKeys(options, ["labels", "cellSize", "title"], where);
  const rows = squareOf(matrix, where);
  const n = rows.length;
  const title = optionalText(options.title, `${where}: title`);
  const cell = finiteNumber(
    options.cellSize ?? (n <= 12 ? 44 : Math.max(6, 528 / n)),
    `${where}: cellSize`,
    4,
    LARGEST.cell + 1,
  );
  const labels = labelsOf(options.labels, n, where).map((label) => fitted(label, LONGEST));
  const longest = Math.max(...labels.map(widthOf));
  const isTurned = longest > cell - 4;
  // Labels of cells that are lower than a line would lie over each other.
  const every = Math.ceil((FONT + 2) / cell);
  const left = MARGIN + 20 + longest + 8;
  const top = MARGIN + (title === undefined ? 0 : 24) + 20 + (isTurned ? longest : FONT) + 8;
  const cells = rows.map((row, i) => {
    const sum = row.reduce((a, b) => a + b, 0);
    return row.map((count, j) => cellText(count, sum === 0 ? 0 : count / sum, left + j * cell, top + i * cell, cell));
  });
  const diagonal = rows.map((_, i) =>
    element("rect", {
      x: left + i * cell + 0.5,
      y: top + i * cell + 0.5,
      width: cell - 1,
      height: cell - 1,
      stroke: "currentColor",
      "stroke-opacity": 0.5,
    }),
  );
  const size = n * cell;
  const frame = element("rect", {
    x: left,
    y: top,
    width: size,
    height: size,
    stroke: "currentColor",
    "stroke-opacity": 0.4,
  });
  const names = labels.flatMap((label, i) => {
    if (i % every > 0) return [];
    const middle = (i + 0.5) * cell;
    const text = { fill: "currentColor", "dominant-baseline": "central" };
    const [x, y] = [left + middle, top - 8];
    return [
      textElement(label, { ...text, x: left - 8, y: top + middle, "text-anchor": "end" }),
      isTurned
        ? textElement(label, { ...text, x: 0, y: 0, transform: `translate(${round(x)} ${round(y)}) rotate(-90)` })
        : textElement(label, { ...text, x, y: y - FONT / 2, "text-anchor": "middle" }),
    ];
  });
  const soft = { fill: "currentColor", "fill-opacity": 0.8, "text-anchor": "middle" };
  const width = left + size + MARGIN;
  const heading =
    title === undefined
      ? ""
      : textElement(fitted(title, width - 2 * MARGIN), {
          x: width / 2,
          y: MARGIN + 10,
          fill: "currentColor",
          "font-weight": 600,
          "text-anchor": "middle",
        });
  const axes = [
    textElement("predicted", { ...soft, x: left + size / 2, y: MARGIN + (title === undefined ? 0 : 24) + 9 }),
    textElement("true", {
      ...soft,
      x: 0,
      y: 0,
      transform: `translate(${MARGIN + 9} ${round(top + size / 2)}) rotate(-90)`,
    }),
  ];
  const total = rows.flat().reduce((a, b) => a + b, 0);
  const right = rows.reduce((sum, row, i) => sum + row[i]!, 0);
  const spoken = `${title ?? "Confusion matrix"}: ${right.toLocaleString("en-US")} of ${total.toLocaleString("en-US")} right`;
  return svgDocument(
    spoken,
    width,
    top + size + MARGIN,
    [heading, ...axes, ...cells.flat(), ...diagonal, frame, ...names].join(""),
  );
}

function cellText(count: number, share: number, x: number, y: number, size: number): string {
  const ground = {
    x,
    y,
    width: size,
    height: size,
    fill: "var(--plot-1, #3b82f6)",
    "fill-opacity": Math.round(share * 65) / 100,
  };
  const text = Number.isInteger(count) ? String(count) : count.toFixed(2);
  const fits = size >= FONT + 2 && widthOf(text) <= size - 2;
  const colour = { fill: "currentColor", "fill-opacity": count === 0 ? 0.45 : undefined };
  const place = { x: x + size / 2, y: y + size / 2, "text-anchor": "middle", "dominant-baseline": "central" };
  return (count === 0 ? "" : element("rect", ground)) + (fits ? textElement(text, { ...place, ...colour }) : "");
}

function squareOf(matrix: readonly ArrayLike<number>[], where: string): readonly (readonly number[])[] {
  const n = listOf(matrix, `${where}: matrix`).length;
  if (n === 0 || n > LARGEST.classes) throw wrong(`${where}: matrix`, `have 1 to ${LARGEST.classes} rows`, matrix);
  return Array.from(matrix, (row, i) => {
    if (!Array.isArray(row) && !ArrayBuffer.isView(row))
      throw wrong(`${where}: matrix[${i}]`, "be an array of numbers", row);
    if (row.length !== n) throw wrong(`${where}: matrix[${i}]`, `have ${n} numbers, as many as there are rows`, row);
    return Array.from(row, (count, j) => finiteNumber(count, `${where}: matrix[${i}][${j}]`, 0));
  });
}

function labelsOf(labels: readonly string[] | undefined, n: number, where: string): readonly string[] {
  if (labels === undefined) return Array.from({ length: n }, (_, i) => String(i));
  const given = listOf(labels, `${where}: labels`).length === n ? Array.from(labels) : [];
  if (given.length === n && given.every((label) => typeof label === "string")) return given;
  throw wrong(`${where}: labels`, `be ${n} ${n === 1 ? "word" : "words"}, one a class`, labels);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
