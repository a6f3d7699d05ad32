// Ten digits of MNIST that are there at once, long before its 70,000.

import { signal } from "@preact/signals";
import type { Image } from "../engine/lab.ts";
import { DIGITS, IMAGE_PIXELS } from "../network.ts";
import { notifyError } from "./notices.ts";

/** One of each, 0 to 9, with values in [0, 1]; empty until they are loaded. */
export const sampleDigits = signal<readonly Image[]>([]);

void load();

async function load(): Promise<void> {
  const url = new URL("mnist/sample-digits", document.baseURI);
  try {
    const response = await fetch(url).catch(() => {
      throw new Error(`"${url}" could not be fetched. Is the server reachable? Reload the page.`);
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (!response.ok) throw new Error(`"${url}" answered ${response.status}. Reload the page, or build it anew.`);
    const wanted = DIGITS * IMAGE_PIXELS;
    if (bytes.length !== wanted)
      throw new Error(`"${url}" is of ${bytes.length} bytes instead of ${wanted}. Reload the page, or build it anew.`);
    sampleDigits.value = Array.from({ length: DIGITS }, (_, digit) => ({
      rows: 28,
      columns: 28,
      values: Float32Array.from(bytes.subarray(digit * IMAGE_PIXELS, (digit + 1) * IMAGE_PIXELS), (byte) => byte / 255),
    }));
  } catch (error) {
    notifyError("sample-digits", "The sample digits did not load.", error);
  }
}
