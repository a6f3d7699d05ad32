// Whether an error is that of a lost device. It may come before the news, in words of the browser's, from another realm,
// or as a clone that lost its code: so the device has the last word, not the error.

import { type ErrorCode, FeaturemapError, type Runtime } from "../../src/index.ts";
import { wordsOf } from "../error-words.ts";

/** A lost device may fail what runs on it before it says that it is lost, in ms. */
const NEWS_MS = 500;

/** In the library's words this is wrong with what was asked, whatever becomes of the device. */
const OURS: ReadonlySet<unknown> = new Set<ErrorCode>(["shape", "value", "data", "limit"]);

const ALL: ReadonlySet<unknown> = new Set<unknown>([...OURS, "device", "lost", "state"]);

/** The library's code of an error, also of one from another realm. A `DOMException` has a number in its place. */
export function codeOf(error: unknown): ErrorCode | undefined {
  const { code } = Object(error) as { code?: unknown };
  return ALL.has(code) ? (code as ErrorCode) : undefined;
}

/**
 * Whether what failed can go on with another device, since the one that it began on is lost. Waits for the news a moment.
 *
 * @param lost of the device that was there when it began
 */
export async function wasLost(error: unknown, lost: Promise<unknown>): Promise<boolean> {
  const code = codeOf(error);
  if (code === "lost") return true;
  if (OURS.has(code)) return false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), NEWS_MS);
  });
  const news = await Promise.race([lost.then(() => true), late]);
  clearTimeout(timer);
  return news;
}

/**
 * Tells the page of an error beside what it asked for. Not where the device or the model is gone, or MNIST is missing: who
 * waits for them says so.
 *
 * @returns whether it told
 */
export async function tellUnlessGone(error: unknown, lost: Promise<unknown>): Promise<boolean> {
  const code = codeOf(error);
  if (code === "state" || code === "data" || (await wasLost(error, lost))) return false;
  reportError(error);
  return true;
}

/** What `run` gives. Where the device is lost meanwhile, it fails with the library's `lost`, whatever it failed with itself. */
export async function lostInWords<T>(
  gpu: { runtime(): Promise<Pick<Runtime, "lost">> },
  run: () => Promise<T>,
): Promise<T> {
  const { lost } = await gpu.runtime();
  try {
    return await run();
  } catch (error) {
    if (!(await wasLost(error, lost))) throw error;
    throw new FeaturemapError("lost", wordsOf(error), { cause: error });
  }
}
