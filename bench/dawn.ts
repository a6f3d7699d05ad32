// WebGPU in Node, by Dawn of the package `webgpu`.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

export interface Dawn {
  /** Lives as long as any device of it must. */
  readonly gpu: GPU;
  /** WebGPU's classes and constants by name, as a page has them. */
  readonly classes: object;
}

/** Dawn rounds timestamps to 65 us unless it is told not to; Chromium does not, with its flag for unsafe WebGPU. */
const FINE_TIMESTAMPS = "disable-dawn-features=timestamp_quantization";

/** Loads the package's index.js, or its dawn.node. Adapters are those of Vulkan's loader, Metal or D3D12. */
export async function loadDawn(file: string): Promise<Dawn> {
  const { create, globals } = (
    file.endsWith(".node")
      ? createRequire(import.meta.url)(file)
      : await import(/* @vite-ignore */ pathToFileURL(file).href)
  ) as { create(options: string[]): GPU; globals: object };
  return { gpu: create([FINE_TIMESTAMPS]), classes: globals };
}

/** Makes Dawn what a page's `navigator.gpu` is. Node has a navigator from version 21 on, of its own and without a gpu. */
export function installDawn({ gpu, classes }: Dawn, userAgent = "Node"): void {
  Object.assign(globalThis, classes);
  const value = { gpu, userAgent, hardwareConcurrency: 4 };
  Object.defineProperty(globalThis, "navigator", { value, configurable: true });
}
