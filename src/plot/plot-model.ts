import { FeaturemapError, flag, knownKeys, oneOf } from "../base/errors.ts";
import { batchShape, elements, type Shape } from "../base/shape.ts";
import { assertModel, INTERNALS, type WithInternals } from "../model/internals.ts";
import type { LayerUse, Network } from "../network/network.ts";
import { type LayoutEdge, layeredLayout } from "./layered-layout.ts";
import { element, FONT, svgDocument, textElement, widthOf } from "./svg.ts";

export interface PlotModelOptions {
  /** Direction of the data: `TB` (default), from top to bottom, or `LR`, from left to right. */
  readonly rankdir?: "TB" | "LR";
  /** Whether boxes have the shapes of their inputs and outputs. Default true. */
  readonly showShapes?: boolean;
  /** Whether boxes have the names of their layers. Default true. */
  readonly showLayerNames?: boolean;
  /** Whether boxes have the numbers of their parameters, and say which are frozen. Default true. */
  readonly showParams?: boolean;
}

/** Box of a picture: its lines of text, and whether its parameters are frozen. */
interface Box {
  readonly lines: readonly string[];
  readonly frozen: boolean;
  readonly input: boolean;
}

const PAD = { along: 14, across: 10 };
const LINE = FONT * 1.4;
const MARGIN = 12;

/**
 * Draws a model as a picture, in SVG text: Keras's `plot_model`, without a program to install. Each use of a layer is a box with its name,
 * class, shapes and parameters. Arrows are the data. Frozen layers are dashed.
 *
 * Ink is the page's `currentColor`. In a file of its own the picture goes by whether its reader prefers dark pages.
 *
 * @throws FeaturemapError `value` for something that is no model, and for wrong options; `state` where the model's shapes are not known
 * @example
 * document.body.insertAdjacentHTML("beforeend", plotModel(model));
 * await writeFile("model.svg", plotModel(model, { rankdir: "LR" })); // in Node
 */
export function plotModel(model: WithInternals & { readonly name: string }, options: PlotModelOptions = {}): string {
  const where = "plotModel";
  assertModel(model, where);
  knownKeys(options, ["rankdir", "showShapes", "showLayerNames", "showParams"], where);
  const rankdir = oneOf(options.rankdir ?? "TB", ["TB", "LR"], `${where}: rankdir`);
  const show = {
    shapes: flag(options.showShapes ?? true, `${where}: showShapes`),
    names: flag(options.showLayerNames ?? true, `${where}: showLayerNames`),
    params: flag(options.showParams ?? true, `${where}: showParams`),
  };
  const { network } = model[INTERNALS].architecture;
  if (!network || network.uses.length === 0) {
    const why = "the model's layers are not known yet: give the first layer an inputShape";
    throw new FeaturemapError("state", `${where}: ${why}.`);
  }
  const { boxes, edges } = boxesOf(network, show);
  return drawn(model.name, boxes, edges, rankdir === "TB");
}

function boxesOf(
  network: Network,
  show: { readonly shapes: boolean; readonly names: boolean; readonly params: boolean },
): { readonly boxes: readonly Box[]; readonly edges: readonly LayoutEdge[] } {
  /** Box that makes each value, and the value's shape. */
  const made: { readonly box: number; readonly shape: Shape }[] = network.inputs.map(({ shape }, box) => ({
    box,
    shape,
  }));
  const boxes: Box[] = network.inputs.map(({ name, shape }) => ({
    lines: [show.names ? `${name} (Input)` : "Input", ...(show.shapes ? [batchShape(shape)] : [])],
    frozen: false,
    input: true,
  }));
  const edges: LayoutEdge[] = [];
  const trainable = new Set(network.variables.filter((each) => each.trainable).map(({ path }) => path));
  for (const use of network.uses) {
    const to = boxes.length;
    for (const from of new Set(use.inputs.map((value) => made[value]!.box))) edges.push({ from, to });
    const inputs = use.inputs.map((value) => made[value]!.shape);
    use.outputs.forEach(({ value, shape }) => {
      made[value] = { box: to, shape };
    });
    boxes.push(boxOf(use, inputs, trainable, show));
  }
  return { boxes, edges };
}

function boxOf(
  { built, node, outputs }: LayerUse,
  inputs: readonly Shape[],
  trainable: ReadonlySet<string>,
  show: { readonly shapes: boolean; readonly names: boolean; readonly params: boolean },
): Box {
  const weights = built.variables.filter(({ role }) => role !== "counter");
  const numbers = weights.reduce((sum, { shape }) => sum + elements(shape), 0);
  const learns = weights.some(({ role }) => role === "parameter");
  const frozen = learns && !weights.some(({ path }) => trainable.has(path));
  const count = `${numbers.toLocaleString("en-US")} ${numbers === 1 ? "parameter" : "parameters"}`;
  return {
    lines: [
      show.names ? `${node} (${built.layer.type})` : built.layer.type,
      ...(show.shapes ? [`${shapesText(inputs)} → ${shapesText(outputs.map(({ shape }) => shape))}`] : []),
      ...(show.params && numbers > 0 ? [frozen ? `${count}, frozen` : count] : []),
    ],
    frozen: show.params && frozen,
    input: false,
  };
}

function shapesText(shapes: readonly Shape[]): string {
  return shapes.map(batchShape).join(", ");
}

function drawn(name: string, boxes: readonly Box[], edges: readonly LayoutEdge[], down: boolean): string {
  const sizes = boxes.map(({ lines }) => ({
    width: Math.max(...lines.map(widthOf)) + 2 * PAD.along,
    height: lines.length * LINE + 2 * PAD.across,
  }));
  const layout = layeredLayout(
    sizes.map(({ width, height }) => (down ? { along: width, across: height } : { along: height, across: width })),
    edges,
  );
  const point = ({ along, across }: { readonly along: number; readonly across: number }) => {
    const [x, y] = down ? [along, across] : [across, along];
    return { x: x + MARGIN, y: y + MARGIN };
  };
  const centres = layout.centres.map(point);
  const half = (box: number) => (down ? sizes[box]!.height : sizes[box]!.width) / 2;
  const ahead = ({ x, y }: { x: number; y: number }, by: number) => (down ? { x, y: y + by } : { x: x + by, y });
  const arrows = edges.map(({ from, to }, i) => {
    const tip = ahead(centres[to]!, -half(to));
    const points = [ahead(centres[from]!, half(from)), ...layout.bends[i]!.map(point), ahead(tip, -7)];
    return `${element("path", { d: curve(points, down), stroke: "currentColor", "stroke-opacity": 0.6 })}${element(
      "path",
      {
        d: arrowhead(tip, down),
        fill: "currentColor",
        "fill-opacity": 0.75,
      },
    )}`;
  });
  const pictures = boxes.map(({ lines, frozen, input }, i) => {
    const { width, height } = sizes[i]!;
    const { x, y } = centres[i]!;
    const frame = element("rect", {
      x: x - width / 2,
      y: y - height / 2,
      width,
      height,
      rx: input ? height / 2 : 6,
      fill: "currentColor",
      "fill-opacity": 0.05,
      stroke: "currentColor",
      "stroke-opacity": 0.6,
      "stroke-dasharray": frozen ? "5 4" : undefined,
    });
    const top = y - ((lines.length - 1) * LINE) / 2;
    const texts = lines.map((line, k) =>
      textElement(line, {
        x,
        y: top + k * LINE,
        fill: "currentColor",
        "fill-opacity": k === 0 ? undefined : 0.8,
        "font-weight": k === 0 ? 600 : undefined,
        "text-anchor": "middle",
        "dominant-baseline": "central",
      }),
    );
    return `${frame}${texts.join("")}`;
  });
  const [width, height] = down ? [layout.along, layout.across] : [layout.across, layout.along];
  return svgDocument(
    `Model "${name}": ${boxes.filter(({ input }) => !input).length} layers`,
    width + 2 * MARGIN,
    height + 2 * MARGIN,
    [...arrows, ...pictures].join(""),
  );
}

/** Prints a smooth path through points, which begins and ends in the direction of the ranks. */
function curve(points: readonly { readonly x: number; readonly y: number }[], down: boolean): string {
  const text = ({ x, y }: { readonly x: number; readonly y: number }) =>
    `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;
  const parts = points.slice(1).map((to, i) => {
    const from = points[i]!;
    const [first, second] = down
      ? [
          { x: from.x, y: (from.y + to.y) / 2 },
          { x: to.x, y: (from.y + to.y) / 2 },
        ]
      : [
          { x: (from.x + to.x) / 2, y: from.y },
          { x: (from.x + to.x) / 2, y: to.y },
        ];
    return `C${text(first)} ${text(second)} ${text(to)}`;
  });
  return `M${text(points[0]!)}${parts.join("")}`;
}

function arrowhead({ x, y }: { readonly x: number; readonly y: number }, down: boolean): string {
  const at = (dx: number, dy: number) => `${Math.round((x + dx) * 10) / 10} ${Math.round((y + dy) * 10) / 10}`;
  return down ? `M${at(0, 0)}L${at(-4.5, -8)}L${at(4.5, -8)}Z` : `M${at(0, 0)}L${at(-8, -4.5)}L${at(-8, 4.5)}Z`;
}
