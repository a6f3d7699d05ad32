// What decides a run. The address can preset it: ?images=256&epochs=1&batch=32 (batch is to be had only there).

export interface Settings {
  /** Training images, the first of MNIST's 60,000. */
  readonly images: number;
  readonly epochs: number;
  readonly batchSize: number;
}

export const IMAGE_CHOICES = [1024, 4096, 16_384, 60_000];

const MOST = { images: 60_000, epochs: 100, batch: 1024 };

/** Small on a software adapter, so that it finishes soon. Small batches make more of few images. */
const DEFAULTS = {
  gpu: { images: 60_000, epochs: 5, batchSize: 128 },
  software: { images: 4096, epochs: 3, batchSize: 32 },
};

/** Throws an Error with a sentence for the visitor where the address asks for something impossible. */
export function initialSettings(software: boolean, address: URLSearchParams): Settings {
  const defaults = software ? DEFAULTS.software : DEFAULTS.gpu;
  return {
    images: preset(address, "images") ?? defaults.images,
    epochs: preset(address, "epochs") ?? defaults.epochs,
    batchSize: preset(address, "batch") ?? defaults.batchSize,
  };
}

/** How many test images suit so many training images: enough to judge by, in a fraction of the time. */
export function testSize(images: number): number {
  return Math.min(10_000, Math.max(100, Math.round(images / 4)));
}

function preset(address: URLSearchParams, name: keyof typeof MOST): number | undefined {
  const text = address.get(name);
  if (text === null) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= MOST[name]) return value;
  const most = MOST[name].toLocaleString("en-US");
  throw new Error(`The address says ${name}=${text}, but it must be a whole number from 1 to ${most}.`);
}
