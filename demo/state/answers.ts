// Questions to the engine that follow each other quickly, as those of a knob that is turned do.

import { effect, type ReadonlySignal, signal } from "@preact/signals";
import { engineReady } from "./engine.ts";

export interface Answer<Q, A> {
  readonly question: Q;
  /** `undefined` where there is an error. */
  readonly value?: A;
  /** In the words of who refused. */
  readonly error?: string;
}

/**
 * The newest answer there is; `undefined` before the first. One question is under way at a time, and of those that
 * come meanwhile only the newest is asked after it.
 */
export function answers<Q, A>(
  question: ReadonlySignal<Q | undefined>,
  ask: (question: Q) => Promise<A>,
): ReadonlySignal<Answer<Q, A> | undefined> {
  const newest = signal<Answer<Q, A> | undefined>(undefined);
  let busy = false;
  async function next(asked: Q): Promise<void> {
    busy = true;
    try {
      newest.value = { question: asked, value: await ask(asked) };
    } catch (error) {
      newest.value = { question: asked, error: error instanceof Error ? error.message : String(error) };
    }
    busy = false;
    const now = question.peek();
    if (now !== undefined && now !== asked) void next(now);
  }
  void engineReady.then(() =>
    effect(() => {
      const now = question.value;
      if (now !== undefined && !busy) void next(now);
    }),
  );
  return newest;
}
