// Questions to the engine that follow each other quickly, as those of a knob that is turned do.

import { effect, type ReadonlySignal, signal } from "@preact/signals";
import { wordsOf } from "../error-words.ts";
import { engineReady } from "./engine.ts";
import { latest } from "./latest.ts";

export interface Answer<Q, A> {
  readonly question: Q;
  /** `undefined` where there is an error. */
  readonly value?: A;
  /** In the words of who refused. */
  readonly error?: string;
}

/** The newest answer there is; `undefined` before the first. A question that was overtaken while it waited is not asked. */
export function answers<Q, A>(
  question: ReadonlySignal<Q | undefined>,
  ask: (question: Q) => Promise<A>,
): ReadonlySignal<Answer<Q, A> | undefined> {
  const newest = signal<Answer<Q, A> | undefined>(undefined);
  const answer = latest(async (asked: Q) => {
    try {
      newest.value = { question: asked, value: await ask(asked) };
    } catch (error) {
      newest.value = { question: asked, error: wordsOf(error) };
    }
  });
  void engineReady.then(() =>
    effect(() => {
      const now = question.value;
      if (now !== undefined) void answer(now);
    }),
  );
  return newest;
}
