import { useEffect, useRef } from "preact/hooks";
import { short } from "./numbers.ts";
import { colorNamed, colorOf, dimmed, endsOf, isLight, type Palette, type Range, rangeOf } from "./palette.ts";
import { scheme } from "./scheme.ts";

export interface Cell {
  readonly row: number;
  readonly column: number;
}

/** A rectangle of cells; it may reach over the edge, as a kernel over padding does. */
export interface Frame extends Cell {
  readonly rows: number;
  readonly columns: number;
}

interface PixelGridProps {
  /** Row by row, `rows * columns` of them. */
  readonly values: ArrayLike<number>;
  readonly rows: number;
  readonly columns: number;
  /** What one sees, for who does not see it. */
  readonly label: string;
  readonly palette: Palette;
  /** Of the colours. Default: that of the values. */
  readonly range?: Range;
  /** Only so many cells are shown, row by row. Default all. */
  readonly shown?: number;
  /** Numbers of cells that are set back, row by row. */
  readonly dimmed?: readonly number[] | undefined;
  /** Writes the numbers into the cells, where they have room. Default false. */
  readonly numbers?: boolean;
  /** Drawn around cells. */
  readonly frame?: Frame | undefined;
  /** Follows the pointer and the arrow keys. Without it, the grid is a picture only. */
  readonly onCell?: (cell: Cell) => void;
  /** Of a click or Enter. */
  readonly onPick?: (cell: Cell) => void;
}

/** Where arrow keys begin that have neither a frame nor a cell pointed at to go on from. */
const START: Cell = { row: 0, column: 0 };
const STEPS: Record<string, readonly [number, number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** A matrix of numbers as coloured cells: an input, a kernel, a feature map. */
export function PixelGrid(props: PixelGridProps) {
  const { rows, columns, label, palette, onCell, onPick } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const at = useRef<Cell>(START);
  const drawn = scheme.value;
  const redraw = useRef<() => void>(() => {});
  redraw.current = () => {
    if (canvas.current) draw(canvas.current, props);
  };
  useEffect(
    () => redraw.current(),
    [props.values, rows, columns, palette, props.range, props.shown, props.dimmed, props.numbers, props.frame, drawn],
  );
  useEffect(() => {
    const observer = new ResizeObserver(() => redraw.current());
    observer.observe(canvas.current!);
    return () => observer.disconnect();
  }, []);

  const go = (cell: Cell) => {
    at.current = cell;
    onCell?.(cell);
  };
  const point = (cell: Cell) => {
    if (at.current.row !== cell.row || at.current.column !== cell.column) go(cell);
  };
  const pointed = (event: PointerEvent & { currentTarget: HTMLCanvasElement }): Cell => {
    const box = event.currentTarget.getBoundingClientRect();
    return {
      row: clamp(Math.floor(((event.clientY - box.top) / box.height) * rows), rows),
      column: clamp(Math.floor(((event.clientX - box.left) / box.width) * columns), columns),
    };
  };
  const keyed = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (step) {
      const from = props.frame ? middleOf(props.frame) : at.current;
      go({ row: clamp(from.row + step[0], rows), column: clamp(from.column + step[1], columns) });
    } else if (event.key === "Enter" || event.key === " ") onPick?.(at.current);
    else return;
    event.preventDefault();
  };
  const interactive = onCell !== undefined || onPick !== undefined;
  return (
    <canvas
      ref={canvas}
      class={`grid ${palette}`}
      style={{ aspectRatio: `${columns} / ${rows}` }}
      role={interactive ? "application" : "img"}
      aria-label={interactive ? `${label}. Arrow keys move through it.` : label}
      {...(interactive && {
        tabIndex: 0,
        onPointerMove: (event: PointerEvent & { currentTarget: HTMLCanvasElement }) => point(pointed(event)),
        onPointerDown: (event: PointerEvent & { currentTarget: HTMLCanvasElement }) => {
          go(pointed(event));
          onPick?.(pointed(event));
        },
        onKeyDown: keyed,
      })}
    />
  );
}

/** The cell by which keys move a frame, as the pointer does. */
function middleOf({ row, column, rows, columns }: Frame): Cell {
  return { row: row + Math.floor(rows / 2), column: column + Math.floor(columns / 2) };
}

function clamp(value: number, size: number): number {
  return Math.min(size - 1, Math.max(0, value));
}

/** Numbers are written into cells of at least so many CSS pixels. */
const ROOM_FOR_NUMBERS = 26;

function draw(canvas: HTMLCanvasElement, props: PixelGridProps): void {
  const { values, rows, columns, palette, frame, shown = rows * columns } = props;
  const width = canvas.clientWidth;
  const size = width / columns;
  const dense = devicePixelRatio;
  canvas.width = Math.round(width * dense);
  canvas.height = Math.round(size * rows * dense);
  const context = canvas.getContext("2d")!;
  context.scale(dense, dense);
  const range = props.range ?? rangeOf(values);
  const ends = endsOf(palette, canvas);
  const gap = size > 8 ? 1 : 0;
  context.font = `${Math.min(14, size * 0.34)}px ui-monospace, monospace`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const digits = props.numbers && size >= ROOM_FOR_NUMBERS ? digitsThatFit(context, values, size - 2 - gap) : undefined;
  const [sheet, soft] = [colorNamed("--sheet", canvas), colorNamed("--soft", canvas)];
  const back = new Set(props.dimmed);
  for (let i = 0; i < Math.min(shown, rows * columns); i++) {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const full = colorOf(values[i]!, range, ends);
    const color = back.has(i) ? dimmed(full, sheet) : full;
    context.fillStyle = `rgb(${color})`;
    context.fillRect(column * size, row * size, size - gap, size - gap);
    if (digits === undefined) continue;
    context.fillStyle = back.has(i) ? `rgb(${soft})` : isLight(color) ? "#000" : "#fff";
    context.fillText(short(values[i]!, digits), (column + 0.5) * size, (row + 0.5) * size);
  }
  if (!frame) return;
  context.strokeStyle = getComputedStyle(canvas).getPropertyValue("--frame");
  context.lineWidth = 3;
  const [x, y] = [frame.column * size + 1, frame.row * size + 1];
  context.strokeRect(x, y, frame.columns * size - 2 - gap, frame.rows * size - 2 - gap);
}

/** After the point: two, or one where so many would not fit into every cell; `undefined` where neither does. */
function digitsThatFit(
  context: CanvasRenderingContext2D,
  values: ArrayLike<number>,
  width: number,
): number | undefined {
  return [2, 1].find((digits) => {
    const longest = Array.from(values, (value) => short(value, digits)).reduce(
      (a, b) => (b.length > a.length ? b : a),
      "",
    );
    return context.measureText(longest).width <= width;
  });
}
