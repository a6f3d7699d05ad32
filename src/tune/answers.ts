import { FeaturemapError } from "../errors.ts";
import type { AdapterSummary } from "../gpu/runtime.ts";
import type { AdapterClass, Choice } from "../graph/tile.ts";
import type { Question } from "./questions.ts";

/**
 * Keeps what was measured from one visit to the next. Keys and values are the tuner's affair; what it cannot make sense of,
 * it measures again.
 */
export interface TuningStore {
  /** What was set for a key, or undefined. */
  get(key: string): Promise<unknown>;
  /** `choices` is plain data, fit for JSON. */
  set(key: string, choices: readonly Choice[]): Promise<void>;
}

/** The library's version. What was measured with another is measured again, since the kernels may be others. */
export const VERSION = "0.1.0";

/** What was measured before: in the tuner's memory, and in a store. A store that fails is told of once and left alone. */
export class Answers {
  readonly #known = new Map<string, readonly Choice[]>();
  readonly #warn: (message: string) => void;
  #store: TuningStore | undefined;

  constructor(store: TuningStore | undefined, warn: (message: string) => void) {
    this.#store = store;
    this.#warn = warn;
  }

  /** The candidate that was found for a question. */
  async get(prefix: string, question: Question): Promise<readonly Choice[] | undefined> {
    const key = prefix + question.key;
    const known = this.#known.get(key);
    if (known) return known;
    const stored = await this.#try((store) => store.get(key), "read");
    if (stored === undefined) return undefined;
    const found = question.candidates.find((candidate) => alike(candidate, stored));
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
      const reason = error instanceof Error ? error.message : String(error);
      this.#warn(`The tuning store cannot be ${what}: ${reason} What is measured is forgotten with the tuner.`);
      return undefined;
    }
  }
}

/** What makes two adapters measure alike. */
export function adapterKey({ vendor, architecture, device, description }: AdapterSummary, kind: AdapterClass): string {
  return JSON.stringify([VERSION, vendor, architecture, device, description, kind]);
}

/** Equal as plain data, in whatever order the properties are. */
function alike(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const keys = Object.keys(a);
  const value = (object: object, key: string) => (object as Record<string, unknown>)[key];
  return keys.length === Object.keys(b).length && keys.every((key) => alike(value(a, key), value(b, key)));
}

/** @throws FeaturemapError `value` for what is no store */
export function checkedStore(store: unknown): TuningStore {
  const { get, set } = (store ?? {}) as Partial<TuningStore>;
  if (typeof get === "function" && typeof set === "function") return store as TuningStore;
  throw new FeaturemapError("value", "tuner: store must have get(key) and set(key, choices), as indexedDbStore() has.");
}
