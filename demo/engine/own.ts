// The same layers, trained on a reader's own images.

import { adam, loadModel, type Sequential, saveModel, tensor } from "../../src/index.ts";
import { IMAGE_PIXELS, IMAGE_SHAPE, type LayerSpec } from "../network.ts";
import type { Gpu } from "./gpu.ts";
import { modelOf } from "./models.ts";

export interface OwnRequest {
  /** The last one, dense with a softmax, gets as many units as there are classes. */
  readonly layers: readonly LayerSpec[];
  readonly classes: number;
  /** 28 x 28 numbers in [0, 1] an image, one after the other. */
  readonly images: Float32Array;
  /** The class of each image. */
  readonly labels: Uint8Array;
}

export interface OwnProgress {
  readonly epoch: number;
  readonly epochs: number;
  readonly loss: number;
  readonly accuracy: number;
}

/** There are few images: they are seen often, in small batches, and Adam moves faster than plain SGD. */
const EPOCHS = 40;
const BATCH = 16;
/** What is learned by heart needs no more epochs. */
const LEARNED = 0.01;

export function createOwn(gpu: Gpu) {
  let model: Sequential | undefined;
  let stop = new AbortController();
  gpu.onLost(() => {
    model = undefined;
  });

  function become(next: Sequential): void {
    model?.dispose();
    model = next;
  }

  return {
    /** Trains from the start; a training under way ends. Resolves to whether it came to its end. */
    async trainOwn(request: OwnRequest, onProgress: (progress: OwnProgress) => void): Promise<boolean> {
      stop.abort();
      stop = new AbortController();
      const { signal } = stop;
      const learned = new AbortController();
      const next = modelOf({ layers: withClasses(request.layers, request.classes) });
      const size = request.labels.length;
      try {
        const runtime = await gpu.runtime();
        const optimizer = adam();
        const loss = "sparseCategoricalCrossentropy";
        await next.compile({ loss, optimizer, metrics: ["accuracy"], runtime, seed: 1 });
        await next.fit(tensor(request.images, [size, ...IMAGE_SHAPE]), tensor(request.labels, [size]), {
          epochs: EPOCHS,
          batchSize: Math.min(BATCH, size),
          verbose: 0,
          signal: AbortSignal.any([signal, learned.signal]),
          callbacks: [
            {
              onEpochEnd(epoch, { loss, accuracy = Number.NaN }) {
                onProgress({ epoch: epoch + 1, epochs: EPOCHS, loss, accuracy });
                if (loss < LEARNED) learned.abort();
              },
            },
          ],
        });
      } catch (error) {
        next.dispose();
        throw error;
      }
      if (signal.aborted) next.dispose();
      else become(next);
      return !signal.aborted;
    },

    stopOwn(): void {
      stop.abort();
    },

    /** A probability for each class; `undefined` while nothing was trained. */
    async readOwn(pixels: Float32Array): Promise<Float32Array | undefined> {
      if (pixels.length !== IMAGE_PIXELS) throw new Error(`An image has ${IMAGE_PIXELS} pixels, got ${pixels.length}.`);
      return model && (await model.predict(tensor(pixels, [1, ...IMAGE_SHAPE]))).data;
    },

    /** The trained network as a file; `undefined` while nothing was trained. */
    async saveOwn(): Promise<Uint8Array | undefined> {
      return model && saveModel(model);
    },

    /** Takes back what `saveOwn` gave. */
    async restoreOwn(bytes: Uint8Array): Promise<void> {
      become(await loadModel(bytes, { runtime: await gpu.runtime() }));
    },
  };
}

function withClasses(layers: readonly LayerSpec[], classes: number): LayerSpec[] {
  return [...layers.slice(0, -1), { kind: "dense", units: classes, activation: "softmax" }];
}
