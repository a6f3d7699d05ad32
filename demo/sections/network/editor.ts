// The page's one draft, and how it, the page's network and the address follow each other.

import { effect, signal } from "@preact/signals";
import { type NetworkSpec, sameNetwork } from "../../network.ts";
import { followAddress, networkOfAddress } from "../../state/address.ts";
import { architecture } from "../../state/architecture.ts";
import { createDraft } from "../../state/draft.ts";
import { engine } from "../../state/engine.ts";
import { notifyError } from "../../state/notices.ts";

export const draft = createDraft(networkOfAddress() ?? architecture.peek(), {
  describe: (network) => engine.describe(network),
  onFit(network) {
    settled = network;
    architecture.value = network;
  },
  onError: (error) => notifyError("network", "The network could not be checked.", error),
  now: () => performance.now(),
});

/** The network that last came from here: any other came from elsewhere, a file or a link. */
let settled: NetworkSpec = architecture.peek();

effect(() => {
  const network = architecture.value;
  if (network === settled) return;
  const rateOnly = sameNetwork(network, settled);
  settled = network;
  const edited = draft.network.peek();
  const { learningRate } = network.optimizer;
  // What is being edited, and does not fit yet, stays.
  if (rateOnly) draft.change({ ...edited, optimizer: { ...edited.optimizer, learningRate } }, "learningRate");
  else draft.change(network, "elsewhere");
});

followAddress((network) => draft.change(network));

export const INPUT = -1;

/** Whose knobs are in sight: a layer's place, or the input. */
export const selected = signal<number | undefined>(0);

let wished: readonly string[] = [];

/** The element to focus once what was changed is drawn: the first selector that finds one. */
export function wishFocus(...selectors: readonly string[]): void {
  wished = selectors;
}

export function grantFocus(within: Element): void {
  const [found] = wished.flatMap((selector) => within.querySelector<HTMLElement>(selector) ?? []);
  wished = [];
  found?.focus();
}

/** Selects a box and leaves the focus on it. */
export function select(at: number): void {
  selected.value = at;
  wishFocus(`[data-box="${at}"]`);
}
