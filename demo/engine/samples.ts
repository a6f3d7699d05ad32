// Test digits for the page to show and to choose from.

import { IMAGE_PIXELS } from "../network.ts";
import type { Mnist } from "./mnist.ts";

export interface Sample {
  /** Among the test images. */
  readonly index: number;
  readonly label: number;
  /** 28 x 28 bytes, 255 where there is most ink. */
  readonly pixels: Uint8Array;
}

export function createSamples(mnist: Mnist) {
  return {
    /** The first `count` test images. Fetches MNIST's test images where they are not there yet. */
    async samples(count: number): Promise<Sample[]> {
      const { images, labels } = await mnist.test();
      return Array.from({ length: Math.min(count, labels.length) }, (_, index) => ({
        index,
        label: labels[index]!,
        pixels: images.slice(index * IMAGE_PIXELS, (index + 1) * IMAGE_PIXELS),
      }));
    },
  };
}
