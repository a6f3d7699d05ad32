import { readAt } from "../base/check.ts";
import { show, wrong } from "../base/errors.ts";
import type { AdapterSummary } from "../gpu/runtime.ts";
import type { AdapterClass, Choice } from "../graph/tile.ts";
import type { Question } from "./questions.ts";

/**
 * Store that keeps choices from one visit to the next. Keys and values are the tuner's affair. It measures again if it cannot make sense
 * of a value.
 */
export interface TuningStore {
  /** Gives what was set for a key, or `undefined`. */
  get(key: string): Promise<unknown>;
  /** Keeps choices for a key. They are plain data, fit for JSON. */
  set(key: string, choices: readonly Choice[]): Promise<void>;
}

/** Version of the library. Choices of another version are measured again, since kernels may have changed. */
export const VERSION = "0.1.0";

/** Cache of answers to questions, in the tuner's memory and in a store. A store that fails is no longer used, after one warning. */
export class TuningCache {
  readonly #known = new Map<string, readonly Choice[]>();
  readonly #warn: (message: string) => void;
  #store: TuningStore | undefined;

  constructor(store: TuningStore | undefined, warn: (message: string) => void) {
    this.#store = store;
    this.#warn = warn;
  }

  /** Gives the candidate that won a question. */
  async get(prefix: string, question: Question): Promise<readonly Choice[] | undefined> {
    const key = prefix + question.key;
    const known = this.#known.get(key);
    if (known) return known;
    const find = (stored: unknown) => question.candidates.find((candidate) => alike(candidate, stored));
    // A value of the store is only compared, never used. That is guarded too, since reading it may throw.
    const answer = await this.#try(async (store) => {
      const stored = await store.get(key);
      return stored === undefined ? undefined : { found: find(stored) };
    }, "read");
    if (!answer) return undefined;
    const { found } = answer;
    if (found) this.#known.set(key, found);
    else this.#warn(`The tuning store holds no candidate for ${question.label}. It is measured again.`);
    return found;
  }

  async set(prefix: string, question: Question, candidate: readonly Choice[]): Promise<void> {
    const key = prefix + question.key;
    this.#known.set(key, candidate);
    await this.#try((store) => store.set(key, candidate), "written");
  }

  async #try<T>(use: (store: TuningStore) => Promise<T>, what: string): Promise<T | undefined> {
    if (!this.#store) return undefined;
    try {
      return await use(this.#store);
    } catch (error) {
      this.#store = undefined;
      this.#warn(
        `The tuning store cannot be ${what}: ${reasonOf(error)} What is measured is forgotten with the tuner.`,
      );
      return undefined;
    }
  }
}

/** Gives the key of an adapter. Two adapters of one key measure alike. */
export function adapterKey({ vendor, architecture, device, description }: AdapterSummary, kind: AdapterClass): string {
  return JSON.stringify([VERSION, vendor, architecture, device, description, kind]);
}

/** Gives the message of anything that a store throws. It need not be an Error, nor of this realm. */
function reasonOf(error: unknown): string {
  try {
    const { message } = error as { message?: unknown };
    if (typeof message === "string") return message;
  } catch {
    // No object, or a getter that throws.
  }
  return `It threw ${show(error)}.`;
}

/** Tells whether a store's value equals ours as plain data, with properties in any order. It goes as deep as ours. */
function alike(ours: unknown, stored: unknown): boolean {
  if (typeof ours !== "object" || typeof stored !== "object" || ours === null || stored === null)
    return ours === stored;
  const keys = Object.keys(ours);
  const value = (object: object, key: string) => (object as Record<string, unknown>)[key];
  return (
    Array.isArray(ours) === Array.isArray(stored) &&
    keys.length === Object.keys(stored).length &&
    keys.every((key) => Object.hasOwn(stored, key) && alike(value(ours, key), value(stored, key)))
  );
}

/**
 * Checks that something is a store.
 *
 * @throws FeaturemapError `value` if it is not
 */
export function checkedStore(store: unknown): TuningStore {
  const context = { path: "tuner: store", code: "value" } as const;
  const is = readAt(context, () => {
    const { get, set } = Object(store) as Partial<TuningStore>;
    return typeof get === "function" && typeof set === "function";
  });
  if (is) return store as TuningStore;
  throw wrong(context.path, "have get(key) and set(key, choices), as indexedDbStore() has", store);
}
