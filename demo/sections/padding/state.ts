import { computed, signal } from "@preact/signals";
import type { ConvolutionRequest, Image } from "../../engine/lab.ts";
import { type Padding, slide } from "../../geometry.ts";
import { answers } from "../../state/answers.ts";
import { engine } from "../../state/engine.ts";
import { createWindowWalk } from "../../state/window-walk.ts";
import { ringOf } from "./ring.ts";

export const inputSize = signal(8);
export const kernelSize = signal(3);
export const stride = signal(1);
export const padding = signal<Padding>("same");

/** The same along both sides. */
export const sliding = computed(() => slide(inputSize.value, kernelSize.value, stride.value, padding.value));

export const input = computed(() => ringOf(inputSize.value));

/** The input and the zeros around it. */
export const padded = computed((): Image => {
  const { n, before, after } = sliding.value;
  const side = before + n + after;
  const values = new Float32Array(side * side);
  for (let row = 0; row < n; row++) {
    values.set(input.value.values.subarray(row * n, (row + 1) * n), (row + before) * side + before);
  }
  return { rows: side, columns: side, values };
});

/** A mean: what the zeros of a border do to it is easily seen. */
const kernel = computed((): Image => {
  const size = kernelSize.value;
  return { rows: size, columns: size, values: new Float32Array(size * size).fill(1 / (size * size)) };
});

const question = computed((): ConvolutionRequest => {
  return { image: input.value, kernel: kernel.value, stride: stride.value, padding: padding.value };
});

export const map = answers(question, (request) => engine.convolve(request));

/** The knobs have moved on since the map was computed. */
export const late = computed(() => map.value?.question !== question.value);

export const walk = createWindowWalk(
  computed(() => {
    const { places, k: size, s } = sliding.value;
    return { rows: Math.max(0, places), columns: Math.max(0, places), size, stride: s };
  }),
);
