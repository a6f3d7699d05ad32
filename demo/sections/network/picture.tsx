import type { LayerSpec } from "../../network.ts";

const WIDTH = 112;
const HEIGHT = 76;
/** Of 28 pixels, the input's side. */
const SIDE = 40;
const STEP_X = 4.5;
const STEP_Y = 2.6;

/** The window that the next layer slides over this one's output. */
export type Window = { readonly size: number; readonly weighs: boolean };

export function windowOf(next: LayerSpec | undefined): Window | undefined {
  if (next?.kind === "conv2d") return { size: next.kernelSize, weighs: true };
  if (next?.kind === "maxPooling2d" || next?.kind === "averagePooling2d") return { size: next.poolSize, weighs: false };
  return undefined;
}

/** A layer's output as a stack of planes, to scale in width and height, or as a column of numbers. Empty: unknown. */
export function Picture(props: { shape: readonly number[]; tint: string; window: Window | undefined }) {
  const { shape, tint, window } = props;
  return (
    <svg class={`picture ${tint}`} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      {shape.length === 0 && (
        <rect class="unknown" x={WIDTH / 2 - 14} y={HEIGHT / 2 - 14} width={28} height={28} rx={4} />
      )}
      {shape.length === 3 && <Planes shape={shape} window={window} />}
      {shape.length === 1 && <Column units={shape[0]!} />}
    </svg>
  );
}

function Planes({ shape, window }: { shape: readonly number[]; window: Window | undefined }) {
  const [rows, columns, channels] = shape as [number, number, number];
  const planes = planesOf(channels);
  const [width, height] = [sideOf(columns), sideOf(rows)];
  const left = (WIDTH - width - (planes - 1) * STEP_X) / 2;
  const bottom = (HEIGHT + height + (planes - 1) * STEP_Y) / 2;
  const back = Array.from({ length: planes }, (_, i) => planes - 1 - i);
  return (
    <>
      {back.map((i) => (
        <rect
          key={i}
          class="plane"
          x={left + i * STEP_X}
          y={bottom - height - i * STEP_Y}
          width={width}
          height={height}
        />
      ))}
      {window && (
        <rect
          class={window.weighs ? "window weighs" : "window"}
          x={left}
          y={bottom - height}
          width={sideOf(window.size)}
          height={sideOf(window.size)}
        />
      )}
    </>
  );
}

function Column({ units }: { units: number }) {
  const height = Math.min(HEIGHT - 4, 14 + 19.3 * Math.log10(units));
  const cells = Math.max(1, Math.min(units, Math.floor(height / 3)));
  const pitch = height / cells;
  return (
    <>
      {Array.from({ length: cells }, (_, i) => (
        <rect
          key={i}
          class="unit"
          x={WIDTH / 2 - 6}
          y={(HEIGHT - height) / 2 + i * pitch}
          width={12}
          height={pitch - 0.9}
        />
      ))}
    </>
  );
}

const sideOf = (pixels: number): number => Math.max(2.5, (pixels / 28) * SIDE);

/** More for more channels, by their logarithm: 1, 4, 9, 10 for 1, 4, 32, 64. */
const planesOf = (channels: number): number => 1 + Math.round(1.5 * Math.log2(channels));
