import type { Choices } from "../../src/index.ts";

/** Every convolution of a model of two by its own kernels, by no other algorithm. */
export const DIRECT: Choices = Object.fromEntries(
  ["conv2d", "conv2d_1"].flatMap((layer) =>
    [layer, `${layer}/conv2dInputGradient`, `${layer}/conv2dFilterGradient`].map((node) => [
      node,
      { algorithm: "direct" },
    ]),
  ),
);
