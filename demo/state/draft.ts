// The network as it is being edited. It may not fit; the page's own follows as soon as it does.

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { describe } from "../engine/models.ts";
import type { NetworkSpec } from "../network.ts";
import { latest } from "./latest.ts";

export type Description = ReturnType<typeof describe>;

export interface Draft {
  readonly network: ReadonlySignal<NetworkSpec>;
  /** What the library says of the network or, until it has answered, of the one before. */
  readonly description: ReadonlySignal<Description | undefined>;
  readonly canUndo: ReadonlySignal<boolean>;
  readonly canRedo: ReadonlySignal<boolean>;
  /** Changes of the same knob, soon after each other, are undone as one. */
  change(next: NetworkSpec, knob?: string): void;
  undo(): void;
  redo(): void;
}

interface Surroundings {
  describe(network: NetworkSpec): Promise<Description>;
  /** The newest network, once the library has found that its layers fit. */
  onFit(network: NetworkSpec): void;
  onError(error: unknown): void;
  /** In ms. */
  now(): number;
}

const SOON_MS = 1000;
const MOST_STEPS = 200;

export function createDraft(first: NetworkSpec, { describe, onFit, onError, now }: Surroundings): Draft {
  const network = signal(first);
  const description = signal<Description | undefined>(undefined);
  const past = signal<readonly NetworkSpec[]>([]);
  const future = signal<readonly NetworkSpec[]>([]);
  let last: { readonly knob: string | undefined; readonly at: number } | undefined;

  const asking = latest(describe);
  function ask(asked: NetworkSpec): void {
    asking(asked).then((answer) => {
      if (asked !== network.value) return;
      description.value = answer;
      if (!answer.problem) onFit(asked);
    }, onError);
  }
  ask(first);

  function show(next: NetworkSpec): void {
    network.value = next;
    ask(next);
  }

  return {
    network,
    description,
    canUndo: computed(() => past.value.length > 0),
    canRedo: computed(() => future.value.length > 0),
    change(next, knob) {
      const same = knob !== undefined && last?.knob === knob && now() - last.at < SOON_MS;
      last = { knob, at: now() };
      if (!same) past.value = [...past.value, network.value].slice(-MOST_STEPS);
      future.value = [];
      show(next);
    },
    undo() {
      const before = past.value.at(-1);
      if (!before) return;
      last = undefined;
      past.value = past.value.slice(0, -1);
      future.value = [...future.value, network.value];
      show(before);
    },
    redo() {
      const after = future.value.at(-1);
      if (!after) return;
      last = undefined;
      future.value = future.value.slice(0, -1);
      past.value = [...past.value, network.value];
      show(after);
    },
  };
}
