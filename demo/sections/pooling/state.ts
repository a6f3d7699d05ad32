import { computed, signal } from "@preact/signals";
import type { ConvolutionRequest, Image, PoolingRequest } from "../../engine/lab.ts";
import { slide } from "../../geometry.ts";
import { answers } from "../../state/answers.ts";
import { sampleDigits } from "../../state/digits.ts";
import { engine } from "../../state/engine.ts";
import { createWindowWalk } from "../../state/window-walk.ts";
import { kernel } from "../convolution/state.ts";
import { keptCells } from "./kept.ts";
import { NUMBERS } from "./numbers.ts";

export type Source = "numbers" | "map";

export const source = signal<Source>("numbers");
export const digit = signal(7);
export const kind = signal<"max" | "average">("max");
export const size = signal(2);
export const stride = signal(2);

const convolution = computed((): ConvolutionRequest | undefined => {
  const image = sampleDigits.value[digit.value];
  if (source.value === "numbers" || !image) return undefined;
  return { image, kernel: kernel.value, stride: 1, padding: "valid" };
});

/** Of the chosen digit, by the kernel of the section on convolution. */
export const featureMap = answers(convolution, (request) => engine.convolve(request));

export const input = computed((): Image | undefined =>
  source.value === "numbers" ? NUMBERS : featureMap.value?.value,
);

const question = computed((): PoolingRequest | undefined => {
  const image = input.value;
  return image && { image, kind: kind.value, size: size.value, stride: stride.value };
});

export const pooled = answers(question, (request) => engine.pool(request));

/** The knobs have moved on since this was pooled. */
export const late = computed(() => pooled.value?.question !== question.value);

export const walk = createWindowWalk(
  computed(() => {
    const side = input.value?.rows ?? 0;
    const { places } = slide(side, size.value, stride.value, "valid");
    return { rows: Math.max(0, places), columns: Math.max(0, places), size: size.value, stride: stride.value };
  }),
);

export interface Kept {
  readonly all: number;
  /** Cells of the input that are in the output as they were. Of a maximum only. */
  readonly cells: readonly number[];
  readonly discarded: readonly number[];
  /** Of all, that are not kept; of a mean, by how much fewer numbers come out. */
  readonly share: number;
}

/** `undefined` until the newest question is answered. */
export const kept = computed((): Kept | undefined => {
  const answer = pooled.value;
  if (late.value || !answer?.value) return undefined;
  const { image } = answer.question;
  const all = image.rows * image.columns;
  if (answer.question.kind === "average") {
    return { all, cells: [], discarded: [], share: 1 - answer.value.values.length / all };
  }
  const cells = keptCells(answer.question, answer.value);
  const known = new Set(cells);
  const discarded = Array.from({ length: all }, (_, cell) => cell).filter((cell) => !known.has(cell));
  return { all, cells, discarded, share: discarded.length / all };
});
