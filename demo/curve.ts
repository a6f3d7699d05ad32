/** `x` in epochs. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Curves {
  /** One line an epoch: the running means begin anew. */
  readonly training: readonly (readonly Point[])[];
  readonly test: readonly Point[];
}

export interface CurveOptions {
  /** What y is, for those who cannot see the curve. */
  readonly name: string;
  /** Top of the y axis; it grows with the data unless `fixed`. The axis begins at 0. */
  readonly top: number;
  readonly fixed: boolean;
  readonly format: (y: number) => string;
}

export interface Curve {
  draw(curves: Curves, epochs: number): void;
}

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 220;
const MARGIN = { top: 10, right: 10, bottom: 38, left: 44 };

/** A curve in an SVG of the container's width; drawn anew, at most once a frame, when data or width change. */
export function createCurve(container: HTMLElement, options: CurveOptions): Curve {
  const svg = container.appendChild(element("svg", { role: "img", height: HEIGHT }));
  let latest: { curves: Curves; epochs: number } = { curves: { training: [], test: [] }, epochs: 1 };
  let waiting = false;
  const redraw = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      const width = Math.max(container.clientWidth, 160);
      setAttributes(svg, { width, viewBox: `0 0 ${width} ${HEIGHT}`, "aria-label": inWords(options, latest.curves) });
      svg.replaceChildren(...drawing(width, options, latest.curves, latest.epochs));
    });
  };
  new ResizeObserver(redraw).observe(container);
  return {
    draw(curves, epochs) {
      latest = { curves, epochs };
      redraw();
    },
  };
}

function drawing(width: number, options: CurveOptions, { training, test }: Curves, epochs: number): SVGElement[] {
  const bottom = HEIGHT - MARGIN.bottom;
  const right = width - MARGIN.right;
  const highest = Math.max(options.top, ...(options.fixed ? [] : [...training.flat(), ...test].map(({ y }) => y)));
  const step = niceStep(highest / 5);
  const top = options.fixed ? options.top : Math.ceil(highest / step - 1e-9) * step;
  const x = (value: number) => MARGIN.left + (value / epochs) * (right - MARGIN.left);
  const y = (value: number) => bottom - (value / top) * (bottom - MARGIN.top);

  const grid = ticks(top, step).flatMap((value) => [
    element("line", { class: value === 0 ? "axis" : "grid", x1: MARGIN.left, x2: right, y1: y(value), y2: y(value) }),
    label(options.format(value), { x: MARGIN.left - 8, y: y(value) + 4, "text-anchor": "end" }),
  ]);
  const room = Math.floor((right - MARGIN.left) / 36);
  const marks = ticks(epochs, Math.max(1, Math.ceil(niceStep(epochs / room)))).flatMap((value) => [
    element("line", { class: "axis", x1: x(value), x2: x(value), y1: bottom, y2: bottom + 4 }),
    label(String(value), { x: x(value), y: bottom + 17, "text-anchor": "middle" }),
  ]);
  const middle = (MARGIN.left + right) / 2;
  const axis = label("epoch", { x: middle, y: HEIGHT - 4, "text-anchor": "middle" });
  const at = (point: Point) => `${x(point.x).toFixed(1)} ${y(Math.min(point.y, top)).toFixed(1)}`;
  const lines = training
    .filter((points) => points.length > 0)
    // A line of one point shows as a dot, by its round cap.
    .map((points) => element("path", { class: "training", d: `M${points.map(at).join("L")}${points[1] ? "" : "h0"}` }));
  const dots = test.map((point) => element("circle", { class: "test", r: 4, cx: x(point.x), cy: y(point.y) }));
  const link = test.length > 1 ? [element("path", { class: "test", d: `M${test.map(at).join("L")}` })] : [];
  return [...grid, ...marks, axis, ...lines, ...link, ...dots];
}

function inWords({ name, format }: CurveOptions, { training, test }: Curves): string {
  const last = training.flat().at(-1);
  const held = test.at(-1);
  if (!last) return `${name}: no figures yet.`;
  const tested = held ? `, on test images ${format(held.y)} after epoch ${held.x}` : "";
  return `${name}: in training ${format(last.y)}${tested}.`;
}

/** 0, step, ... up to and with `end`. */
function ticks(end: number, step: number): number[] {
  return Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, i) => i * step);
}

/** The least of 1, 2 or 5 times a power of ten that is not below `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5, 10].find((digit) => digit * power >= least * (1 - 1e-9)) ?? 10) * power;
}

type Attributes = Readonly<Record<string, string | number>>;

function label(text: string, attributes: Attributes): SVGElement {
  const node = element("text", attributes);
  node.textContent = text;
  return node;
}

function element<Name extends keyof SVGElementTagNameMap>(name: Name, attributes: Attributes) {
  const node = document.createElementNS(SVG, name);
  setAttributes(node, attributes);
  return node;
}

function setAttributes(node: SVGElement, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
}
