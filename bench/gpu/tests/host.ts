// Makes of Node what the tests know of a browser.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type AdapterSummary, adapterSummary } from "../../../src/gpu/runtime.ts";
import { installDawn, loadDawn } from "../../dawn.ts";

/**
 * `navigator.gpu` and the classes of WebGPU, by Dawn. `path` is the package's index.js or its dawn.node.
 *
 * @throws Error where there is no adapter
 */
export async function startDawn(path: string): Promise<AdapterSummary> {
  const dawn = await loadDawn(path);
  // Dawn is Chromium's WebGPU: where a test asks whether it is in Chromium, what it says of Chromium's adapters holds here.
  const userAgent = `Node.js/${process.versions.node} (Dawn, of Chromium)`;
  installDawn(dawn, userAgent);
  const adapter = await dawn.gpu.requestAdapter();
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
