import { allocateFloats } from "../base/arrays.ts";
import type { Hooks } from "../training/hooks.ts";
import type { StreamFeeder } from "../training/stream-feeder.ts";
import type { CompiledModel } from "./compiled.ts";

/** Predicts batch by batch, two under way, and joins the rows of each output. */
export async function predictBatches(
  { lifetime, variables }: CompiledModel,
  feeder: StreamFeeder,
  sizes: readonly number[],
  options: { readonly hooks: Hooks; readonly signal: AbortSignal | undefined; readonly steps: number | undefined },
): Promise<{ readonly rows: Float32Array[]; readonly samples: number }> {
  const { hooks, signal, steps = Number.POSITIVE_INFINITY } = options;
  const { state } = variables.store.cursor("inference");
  const parts: Float32Array[][] = sizes.map(() => []);
  const waiting: (() => Promise<void>)[] = [];
  let samples = 0;
  await hooks.call((callback) => callback.onPredictBegin?.());
  try {
    for (let made = 0; made < steps && !signal?.aborted; made++) {
      const batch = await feeder.next();
      lifetime.assertLive();
      if (!batch || signal?.aborted) break;
      await hooks.call((callback) => callback.onPredictBatchBegin?.(made));
      const { slot, samples: count } = batch;
      const read = slot.predict(batch.run, state);
      batch.busyUntil(read);
      read.catch(() => {}); // It is awaited in its turn.
      samples += count;
      waiting.push(async () => {
        const bytes = await read;
        let at = 0;
        sizes.forEach((size, i) => {
          parts[i]!.push(new Float32Array(bytes, at * 4, count * size).slice());
          at += slot.dataset.size * size;
        });
        await hooks.call((callback) => callback.onPredictBatchEnd?.(made));
      });
      while (waiting.length > 1) await waiting.shift()!();
    }
    while (waiting.length > 0) await waiting.shift()!();
  } finally {
    await feeder.settled().catch(() => {});
    lifetime.assertLive();
  }
  if (!signal?.aborted) await hooks.call((callback) => callback.onPredictEnd?.());
  const rows = sizes.map((size, i) => {
    const all = allocateFloats(samples * size, "predict");
    let at = 0;
    for (const part of parts[i]!) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  });
  return { rows, samples };
}
