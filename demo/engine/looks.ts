import { tellUnlessGone } from "./lost.ts";

/** Between two looks at what the weights can do, while they learn: at least this, and 10 times what a look takes. */
const LOOK_MS = 1000;
/** The first look compiles shaders, which says nothing of the next. */
const MOST_LOOK_MS = 10_000;

/**
 * Looks one at a time, and no more often than is good for the training.
 *
 * @param lost of the device that it trains on
 */
export function lookNowAndThen(look: () => Promise<void>, lost: Promise<unknown>): () => void {
  let next = performance.now() + LOOK_MS / 2;
  let looking = false;
  return () => {
    const begun = performance.now();
    if (looking || begun < next) return;
    looking = true;
    look()
      .catch((error: unknown) => void tellUnlessGone(error, lost))
      .finally(() => {
        looking = false;
        const now = performance.now();
        next = now + Math.min(MOST_LOOK_MS, Math.max(LOOK_MS, 10 * (now - begun)));
      });
  };
}
