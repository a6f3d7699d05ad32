// How far the network that answers has learned, in words.

import { percent } from "../../ui/numbers.ts";

export interface Learned {
  /** From a file, or from what the browser keeps: what it learned before, nobody knows. */
  readonly opened: boolean;
  /** That it was trained here. */
  readonly epochs: number;
  /** Of the test images, that it reads right; `undefined` where it was shown none yet. */
  readonly share: number | undefined;
}

/** `undefined` of a network that has learned nothing. */
export function trainedWords({ opened, epochs, share }: Learned): string | undefined {
  if (epochs === 0) {
    return opened
      ? "The network was opened as it was kept. How long it trained before is not written there."
      : undefined;
  }
  const before = opened ? "was opened as it was kept, then trained" : "was trained";
  const reads = share === undefined ? "" : `, and reads ${percent(share)} of the test images right`;
  return `The network ${before} for ${epochsWords(epochs)}${reads}.`;
}

function epochsWords(epochs: number): string {
  if (epochs < 0.1) return "less than 0.1 epochs";
  const rounded = Number(epochs.toFixed(1));
  return rounded === 1 ? "1 epoch" : `${rounded} epochs`;
}
