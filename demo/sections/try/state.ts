// What is drawn, what the network makes of it, and what is looked at more closely.

import { computed, effect, signal } from "@preact/signals";
import type { LayerView, UnitWeights } from "../../engine/reader.ts";
import { IMAGE_PIXELS } from "../../network.ts";
import { architecture } from "../../state/architecture.ts";
import { engine, engineReady } from "../../state/engine.ts";
import { latest } from "../../state/latest.ts";
import { notifyError, withdraw } from "../../state/notices.ts";
import { weights as weightsVersion } from "../../state/training.ts";
import type { Cell } from "../../ui/pixel-grid.tsx";
import { channelOf } from "./geometry.ts";

/** As the network sees it: 28 x 28 in [0, 1]; `undefined` while nothing is drawn. */
export const pixels = signal<Float32Array | undefined>(undefined);

export const layers = signal<readonly LayerView[]>([]);

/** `undefined` until something is drawn and read. */
export const probabilities = computed(() => layers.value.at(-1)?.data);

/** The first layer's input is the image. */
export interface Selection {
  /** Place of the layer in `layers`. */
  readonly layer: number;
  /** A feature map or a neuron. */
  readonly unit: number;
}

export const selection = signal<Selection>({ layer: 0, unit: 0 });
export const cell = signal<Cell>({ row: 0, column: 0 });

/** Looks at a unit more closely, and there first at the cell that answers most. */
export function select(chosen: Selection): void {
  selection.value = chosen;
  const { shape, data } = layers.value[chosen.layer]!;
  if (shape.length !== 3) return;
  const map = channelOf(data, shape[2]!, chosen.unit);
  const greatest = map.indexOf(Math.max(...map));
  cell.value = { row: Math.floor(greatest / shape[1]!), column: greatest % shape[1]! };
}

/** Of the selected unit; `undefined` where it has none or they are not there yet. */
export const weights = signal<(UnitWeights & { readonly of: Selection }) | undefined>(undefined);

/** The weights are still those of the unit that was selected before. */
export const late = computed(() => weights.value !== undefined && weights.value.of !== selection.value);

const BLANK = new Float32Array(IMAGE_PIXELS);

export const inputOf = (layer: number): { readonly shape: readonly number[]; readonly data: Float32Array } =>
  layer === 0 ? { shape: [28, 28, 1], data: pixels.value ?? BLANK } : layers.value[layer - 1]!;

const look = latest((image: Float32Array) => engine.look(image, architecture.value));
const fetchWeights = latest((layer: string, unit: number) => engine.unitWeights(layer, unit));

/** Begins to look whenever the drawing or the weights change; called once, when the section is first shown. */
export function startLooking(): void {
  /** Names of the layers that were seen last. */
  let shown = "";
  effect(() => {
    const image = pixels.value;
    void weightsVersion.value;
    void architecture.value;
    if (!image) {
      layers.value = [];
      return;
    }
    void engineReady.then(async () => {
      try {
        const seen = await look(image);
        if (pixels.value === undefined) return;
        const others = seen.map(({ name }) => name).join() !== shown;
        shown = seen.map(({ name }) => name).join();
        layers.value = seen;
        if (others) select({ layer: 0, unit: 0 });
        withdraw("try");
      } catch (error) {
        notifyError("try", "The network could not read the drawing.", error);
      }
    });
  });
  effect(() => {
    const of = selection.value;
    const { layer, unit } = of;
    const view = layers.value[layer];
    if (!view || !hasWeights(view)) {
      weights.value = undefined;
      return;
    }
    fetchWeights(view.name, unit).then(
      (fetched) => {
        weights.value = { ...fetched, of };
      },
      (error: unknown) => notifyError("try", "The weights could not be read.", error),
    );
  });
}

export function hasWeights({ spec }: LayerView): boolean {
  return spec.kind === "conv2d" || spec.kind === "dense";
}
