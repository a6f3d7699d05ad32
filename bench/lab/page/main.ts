import { IMAGES_AT, LABELS_AT, PIXELS } from "../../systems/system.ts";
import { createLab, type Lab } from "../lab.ts";

declare global {
  var featuremapLab: Lab | undefined;
}

async function bytesOf(name: string, from: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(`/mnist/${name}`);
  if (!response.ok) throw new Error(`HTTP ${response.status} for ${name}`);
  return new Uint8Array(await response.arrayBuffer(), from, length).slice();
}

globalThis.featuremapLab = createLab(
  navigator.userAgent.match(/\w*Chrom\w*\/\d+/)?.[0] ?? navigator.userAgent,
  async (samples) => ({
    images: await bytesOf("train-images-idx3-ubyte", IMAGES_AT, samples * PIXELS),
    labels: await bytesOf("train-labels-idx1-ubyte", LABELS_AT, samples),
  }),
  (line) => console.info(line),
);
