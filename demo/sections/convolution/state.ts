import { computed, signal } from "@preact/signals";
import type { ConvolutionRequest, Image } from "../../engine/lab.ts";
import { answers } from "../../state/answers.ts";
import { sampleDigits } from "../../state/digits.ts";
import { engine } from "../../state/engine.ts";
import { createWindowWalk } from "../../state/window-walk.ts";
import { type KernelSize, kernelOf, PRESETS, resized } from "./kernels.ts";
import { ARROW } from "./shape.ts";

export type Source = "shape" | "digit" | "drawing" | "camera";

const BLANK: Image = { rows: 28, columns: 28, values: new Float32Array(784) };

export const source = signal<Source>("shape");
export const digit = signal(3);
export const drawing = signal<Image>(BLANK);
export const cameraImage = signal<Image>(BLANK);

export const input = computed((): Image => {
  switch (source.value) {
    case "shape":
      return ARROW;
    case "digit":
      return sampleDigits.value[digit.value] ?? BLANK;
    case "drawing":
      return drawing.value;
    case "camera":
      return cameraImage.value;
  }
});

/** Drawings and the camera begin anew each time. */
export function chooseSource(next: Source): void {
  drawing.value = BLANK;
  cameraImage.value = BLANK;
  source.value = next;
  walk.showAll();
}

export function chooseDigit(next: number): void {
  digit.value = next;
  walk.showAll();
}

/** `undefined`: weights of one's own. */
export const preset = signal<string | undefined>(PRESETS[0]!.name);
export const kernel = signal(kernelOf(PRESETS[0]!, 3));

export function choosePreset(name: string, size = kernel.peek().rows as KernelSize): void {
  const chosen = PRESETS.find((each) => each.name === name)!;
  preset.value = name;
  kernel.value = kernelOf(chosen, size);
}

export function chooseSize(size: KernelSize): void {
  const name = preset.peek();
  if (name === undefined) kernel.value = resized(kernel.peek(), size);
  else choosePreset(name, size);
}

export function setWeight(i: number, weight: number): void {
  const { rows, columns, values } = kernel.peek();
  preset.value = undefined;
  kernel.value = { rows, columns, values: values.with(i, weight) };
}

const question = computed((): ConvolutionRequest => {
  return { image: input.value, kernel: kernel.value, stride: 1, padding: "valid" };
});

export const map = answers(question, (request) => engine.convolve(request));

export const walk = createWindowWalk(
  computed(() => {
    const { rows: size } = kernel.value;
    const { rows, columns } = input.value;
    return { rows: rows - size + 1, columns: columns - size + 1, size, stride: 1 };
  }),
);
