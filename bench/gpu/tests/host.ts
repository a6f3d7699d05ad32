// Makes of Node what the tests know of a browser.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type AdapterSummary, adapterSummary } from "../../../src/gpu/runtime.ts";

interface Dawn {
  create(options: string[]): GPU;
  readonly globals: object;
}

/** Dawn rounds timestamps to 65 us unless it is told not to. FEATUREMAP_DAWN has more of its options, between spaces. */
const OPTIONS = ["disable-dawn-features=timestamp_quantization", ...(process.env.FEATUREMAP_DAWN?.split(" ") ?? [])];

/**
 * `navigator.gpu` and the classes of WebGPU, by Dawn. `path` is the package's index.js or its dawn.node. What `create` returns
 * must live as long as any device: it is the navigator's.
 *
 * @throws Error where there is no adapter
 */
export async function startDawn(path: string): Promise<AdapterSummary> {
  const { create, globals } = (
    path.endsWith(".node")
      ? createRequire(import.meta.url)(path)
      : await import(/* @vite-ignore */ pathToFileURL(path).href)
  ) as Dawn;
  Object.assign(globalThis, globals);
  const gpu = create(OPTIONS);
  // Dawn is Chromium's WebGPU: where a test asks whether it is in Chromium, what it says of Chromium's adapters holds here.
  const userAgent = `Node.js/${process.versions.node} (Dawn, of Chromium)`;
  Object.defineProperty(globalThis, "navigator", { value: { gpu, userAgent }, configurable: true });
  const adapter = await gpu.requestAdapter();
  if (!adapter)
    throw new Error("Dawn finds no adapter. VK_DRIVER_FILES names a driver's manifest for Vulkan's loader.");
  return adapterSummary(adapter.info);
}

/** Answers `fetch("/mnist/...")` out of a folder with MNIST's files, as the development server does. */
export function serveMnist(folder: string | undefined): void {
  const others = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const name = /^\/mnist\/([\w-]+)$/.exec(String(input))?.[1];
    if (name === undefined) return others(input, init);
    if (folder === undefined) throw new Error("MNIST is not here: --mnist FOLDER names the folder of its files");
    return new Response(new Uint8Array(await readFile(join(folder, name))));
  };
}
