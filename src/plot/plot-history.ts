import { cut, FeaturemapError, finiteNumber, knownKeys, listOf, optionalText, show, wrong } from "../base/errors.ts";
import { colour, element, fitted, svgDocument, textElement, widthOf } from "./svg.ts";

/** Figures of epochs, as `fit` returns them, or their copy as plain JSON. */
export interface PlottedHistory {
  /** Numbers of the epochs, counted from 0. */
  readonly epoch: readonly number[];
  readonly history: Readonly<Record<string, readonly number[]>>;
}

export interface PlotHistoryOptions {
  /** Figures to draw, without `val_`: `["loss"]`. Default: all. */
  readonly figures?: readonly string[];
  /** Width of a panel in pixels, 280 to 8192. Default 360. */
  readonly width?: number;
  /** Height of a panel in pixels, 140 to 8192. Default 240. */
  readonly height?: number;
  /** Line above all. Default: none. */
  readonly title?: string;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Figure with its curves. */
interface Panel {
  readonly name: string;
  readonly curves: readonly {
    readonly label: string;
    readonly validation: boolean;
    readonly points: readonly Point[];
  }[];
}

const SPACE = { left: 52, right: 14, top: 40, bottom: 38 };
/** Most points of a curve that are marked. */
const MARKED = 40;
/** Most pixels of a panel, and most epochs and figures of a history. */
const LARGEST = 8192;
const LONGEST = 1_000_000;

/**
 * Draws the figures of `fit` over the epochs as SVG text: a panel for the loss, and one for each metric. The figure of training is a line,
 * that of the validation data is dashed. An epoch whose figure is no finite 32-bit float is a gap.
 *
 * Ink is the page's `currentColor`, as in `plotModel`.
 *
 * @throws FeaturemapError `value` for something that is no history, for a figure that it does not have, and for wrong options
 * @example
 * const history = await model.fit(x, y, { epochs: 10, validationSplit: 0.1 });
 * document.body.insertAdjacentHTML("beforeend", plotHistory(history));
 */
export function plotHistory(history: PlottedHistory, options: PlotHistoryOptions = {}): string {
  const where = "plotHistory";
  knownKeys(options, ["figures", "width", "height", "title"], where);
  const width = finiteNumber(options.width ?? 360, `${where}: width`, 280, LARGEST + 1);
  const height = finiteNumber(options.height ?? 240, `${where}: height`, 140, LARGEST + 1);
  const title = optionalText(options.title, `${where}: title`);
  const panels = panelsOf(history, options.figures, where);
  const columns = panels.length === 1 ? 1 : 2;
  const top = title === undefined ? 0 : 28;
  const drawn = panels.map((panel, i) => {
    const [x, y] = [(i % columns) * width, Math.floor(i / columns) * height + top];
    return element("g", { transform: `translate(${x} ${y})` }, panelText(panel, i, width, height));
  });
  const heading =
    title === undefined
      ? ""
      : textElement(fitted(title, columns * width - 16), {
          x: (columns * width) / 2,
          y: 20,
          fill: "currentColor",
          "font-weight": 600,
          "text-anchor": "middle",
        });
  const names = panels.map(({ name }) => name).join(", ");
  const rows = Math.ceil(panels.length / columns);
  return svgDocument(title ?? `Training: ${names}`, columns * width, rows * height + top, heading + drawn.join(""));
}

function panelsOf(given: PlottedHistory, wanted: readonly string[] | undefined, where: string): readonly Panel[] {
  const what = "be what fit() returns, or { epoch, history }";
  const isHistory =
    Array.isArray(given?.epoch) &&
    typeof given.history === "object" &&
    given.history !== null &&
    !Array.isArray(given.history);
  if (!isHistory) throw wrong(`${where}: history`, what, given);
  const lists = Object.entries(given.history);
  if (lists.length > LARGEST) throw wrong(`${where}: history`, `have at most ${LARGEST} figures`, given.history);
  const epochs = copied(given.epoch, LONGEST, `${where}: history.epoch`).map((epoch, i) =>
    finiteNumber(epoch, `${where}: history.epoch[${i}]`, 0),
  );
  const figures = lists.map(([name, given]) => {
    const values = copied(given, LONGEST, `${where}: history.history.${cut(name)}`);
    const bad = values.findIndex((value) => typeof value !== "number");
    if (bad >= 0) throw wrong(`${where}: history.history.${cut(name)}[${bad}]`, "be a number", values[bad]);
    return [name, pointsOf(epochs, values)] as const;
  });
  const known = [...new Set(figures.map(([name]) => name.replace(/^val_/, "")))];
  const chosen = wanted === undefined ? known : copied(wanted, known.length, `${where}: figures`);
  const unknown = chosen.findIndex((name) => !known.includes(name));
  if (unknown >= 0)
    throw wrong(
      `${where}: figures[${unknown}]`,
      "be the name of a figure",
      chosen[unknown],
      `There are: ${show(known)}.`,
    );
  if (chosen.length === 0) throw new FeaturemapError("value", `${where}: the history has no figures.`);
  const byName = new Map(figures);
  return chosen.map((name) => ({
    name,
    curves: [
      { label: "training", key: name, validation: false },
      { label: "validation", key: `val_${name}`, validation: true },
    ].flatMap(({ key, ...curve }) => (byName.has(key) ? [{ ...curve, points: byName.get(key)! }] : [])),
  }));
}

/** Gives each value its epoch, counted from 1. Of `validationFreq: n`, every nth epoch has one. */
function pointsOf(epochs: readonly number[], values: readonly number[]): readonly Point[] {
  const every = Math.max(1, Math.floor(epochs.length / values.length));
  return values.map((y, i) => ({ x: (epochs[(i + 1) * every - 1] ?? i) + 1, y }));
}

function panelText({ name, curves }: Panel, index: number, width: number, height: number): string {
  const inner = { width: width - SPACE.left - SPACE.right, height: height - SPACE.top - SPACE.bottom };
  const finite = curves.flatMap(({ points }) => points).filter(({ y }) => isDrawn(y));
  const xs = curves.flatMap(({ points }) => points.map(({ x }) => x));
  const [firstX, lastX] = ends(xs);
  const ticksY = ticks(...ends(finite.map(({ y }) => y)), inner.height / 34);
  const [low, high] = [ticksY[0] ?? 0, ticksY.at(-1) ?? 1];
  const at = ({ x, y }: Point): Point => ({
    x: SPACE.left + (lastX > firstX ? (x - firstX) / (lastX - firstX) : 0.5) * inner.width,
    y: SPACE.top + (1 - (y - low) / (high - low)) * inner.height,
  });
  const small = { fill: "currentColor", "fill-opacity": 0.8, "font-size": 11 };
  const grid = ticksY.map((value) => {
    const { y } = at({ x: firstX, y: value });
    const line = {
      x1: SPACE.left,
      x2: width - SPACE.right,
      y1: y,
      y2: y,
      stroke: "currentColor",
      "stroke-opacity": 0.15,
    };
    const text = { ...small, x: SPACE.left - 7, y, "text-anchor": "end", "dominant-baseline": "central" };
    return element("line", line) + textElement(tickText(value, ticksY), text);
  });
  const epochs = xs.length === 0 ? [] : wholeTicks(firstX, lastX, inner.width / 48);
  const below = epochs.map((value) => {
    const { x } = at({ x: value, y: low });
    return textElement(String(value), { ...small, x, y: height - SPACE.bottom + 16, "text-anchor": "middle" });
  });
  const axis = textElement("epoch", {
    ...small,
    x: SPACE.left + inner.width / 2,
    y: height - 6,
    "text-anchor": "middle",
  });
  const words = curves.reduce((sum, { label }) => sum + widthOf(label) + 36, 0);
  const heading = fitted(name, Math.max(40, inner.width - words));
  const head = textElement(heading, { x: SPACE.left, y: 22, fill: "currentColor", "font-weight": 600 });
  const drawn = curves.map(({ points, validation }) =>
    curveText(
      points.map((point) => ({ ...at(point), of: point.y })),
      index,
      validation,
    ),
  );
  const empty =
    finite.length > 0
      ? ""
      : textElement("no finite numbers", {
          ...small,
          x: SPACE.left + inner.width / 2,
          y: SPACE.top + inner.height / 2,
          "text-anchor": "middle",
        });
  return [...grid, ...below, axis, head, legend(curves, index, width), ...drawn, empty].join("");
}

const stroke = (index: number, validation: boolean) => ({
  stroke: colour(index),
  "stroke-width": 2,
  "stroke-dasharray": validation ? "5 4" : undefined,
});

/** Names the curves at the top right: the line and the dashes. */
function legend(curves: Panel["curves"], index: number, width: number): string {
  let right = width - SPACE.right;
  return [...curves]
    .reverse()
    .map(({ label, validation }) => {
      const text = textElement(label, { x: right, y: 22, fill: "currentColor", "font-size": 11, "text-anchor": "end" });
      right -= widthOf(label) + 4;
      const line = element("line", { x1: right - 20, x2: right, y1: 18, y2: 18, ...stroke(index, validation) });
      right -= 32;
      return text + line;
    })
    .join("");
}

function curveText(points: readonly (Point & { readonly of: number })[], index: number, validation: boolean): string {
  let isOpen = false;
  const path = points
    .map(({ x, y, of }) => {
      const drawn = isDrawn(of) ? `${isOpen ? "L" : "M"}${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}` : "";
      isOpen = drawn !== "";
      return drawn;
    })
    .join("");
  const line = element("path", { d: path || "M0 0", ...stroke(index, validation), "stroke-linejoin": "round" });
  const seen = points.filter(({ of }) => isDrawn(of));
  if (points.length > MARKED) return line;
  return line + seen.map(({ x, y }) => element("circle", { cx: x, cy: y, r: 2.5, fill: colour(index) })).join("");
}

/** Copies a list, once its length is checked. */
function copied<T>(values: readonly T[], most: number, where: string): readonly T[] {
  if (listOf(values, where).length <= most) return Array.from(values);
  throw wrong(where, `have at most ${most} entries`, values);
}

function isDrawn(value: number): boolean {
  return Number.isFinite(Math.fround(value));
}

/** Gives the least and the largest of numbers. Of none, infinities. */
function ends(values: readonly number[]): [low: number, high: number] {
  return values.reduce<[number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
}

/**
 * Gives round numbers around a range: steps of 1, 2 or 5 times a power of ten. Of equal numbers, and of those that differ by less than
 * the digits of figures, the range is widened.
 */
function ticks(low: number, high: number, most: number): readonly number[] {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [];
  const least = high === low ? Math.abs(high) || 1 : Math.max(1e-6 * Math.max(Math.abs(low), Math.abs(high)), 1e-30);
  const range = Math.max(high - low, least);
  const [from, to] = range > high - low ? [(low + high - range) / 2, (low + high + range) / 2] : [low, high];
  const rough = range / Math.max(2, Math.floor(most));
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((times) => times * power >= rough * 0.999) ?? 10);
  const [first, last] = [Math.floor(from / step + 1e-9), Math.ceil(to / step - 1e-9)];
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

function wholeTicks(low: number, high: number, most: number): readonly number[] {
  const step = Math.max(
    1,
    ...ticks(low, high, most)
      .slice(0, 2)
      .map((value, i, all) => (i === 1 ? Math.ceil(value - all[0]!) : 0)),
  );
  const first = Math.ceil(low / step) * step;
  const all = Array.from({ length: Math.max(0, Math.floor((high - first) / step) + 1) }, (_, i) => first + i * step);
  return all.length > 0 ? all : [low];
}

/** Prints a tick with as many decimals as its step has. */
function tickText(value: number, all: readonly number[]): string {
  const step = all.length > 1 ? all[1]! - all[0]! : 1;
  const size = Math.max(...all.map(Math.abs));
  if (size >= 1e5 || (size > 0 && size < 1e-3)) return value === 0 ? "0" : value.toExponential(1).replace("+", "");
  return value.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
}
