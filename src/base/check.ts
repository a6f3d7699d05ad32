import { arrayType } from "./arrays.ts";
import { type ErrorCode, FeaturemapError, show, tagOf, wrong } from "./errors.ts";

/**
 * Checks of what comes from outside: files, stores, snapshots, configs. A check reads each property once and returns a copy that
 * nobody else can change. Where something is wrong it throws an error that names the place: `restore: snapshot.weights[2].name`.
 * Checks end at fixed depths, take time in proportion to what they accept, and read own properties only.
 */
export type Check<T> = (value: unknown, place: Place) => T;

/** Where a value stands, for messages, and the code of errors there. */
export interface Place {
  readonly path: string;
  readonly code: ErrorCode;
}

/** Applies a check to a whole, which `path` names: `fromConfig: config`. */
export function checkedAt<T>(check: Check<T>, value: unknown, path: string, code: ErrorCode = "value"): T {
  return check(value, { path, code });
}

/** The error for a value that is not what it must be. */
export function wrongAt({ path, code }: Place, must: string, value: unknown, remedy = ""): FeaturemapError {
  return new FeaturemapError(code, `${path} must ${must}, got ${show(value)}.${remedy && ` ${remedy}`}`);
}

/** The place of a property or item. */
export function within({ path, code }: Place, key: string | number): Place {
  const step = typeof key === "number" ? `[${key}]` : /^\w{1,40}$/.test(key) ? `.${key}` : `[${show(key)}]`;
  return { path: path + step, code };
}

/** Reads from a value of the caller's, whose getters and traps may throw anything. */
export function readAt<T>(place: Place, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new FeaturemapError(place.code, `${place.path} cannot be read.`, { cause });
  }
}

/** An own property; `undefined` where there is none. */
function own(value: object, key: string, place: Place): unknown {
  return readAt(within(place, key), () =>
    Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined,
  );
}

/** Any object but arrays; `what` names it. */
export function asObject(value: unknown, place: Place, what = "an object"): object {
  const is = typeof value === "object" && value !== null;
  if (is && !readAt(place, () => Array.isArray(value) || ArrayBuffer.isView(value))) return value;
  throw wrongAt(place, `be ${what}`, value);
}

/** An object with fields of known names. `only`: with no others. `what` names it. */
export function record<T extends object>(
  fields: { readonly [K in keyof T]: Check<T[K]> },
  { only = false, what = "an object" }: { readonly only?: boolean; readonly what?: string } = {},
): Check<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  return (value, place) => {
    const object = asObject(value, place, what);
    if (only) {
      const extra = readAt(place, () => Object.keys(object)).find((key) => !Object.hasOwn(fields, key));
      if (extra !== undefined) {
        const takes = `It takes: ${names.join(", ")}`;
        throw new FeaturemapError(place.code, `${place.path} has no option ${show(extra)}. ${takes}.`);
      }
    }
    return Object.fromEntries(
      names.map((name) => [name, fields[name](own(object, name, place), within(place, name))]),
    ) as T;
  };
}

/** An array, of any length. */
export function list<T>(check: Check<T>): Check<T[]> {
  return (value, place) => {
    if (!readAt(place, () => Array.isArray(value))) throw wrongAt(place, "be an array", value);
    const from = value as readonly unknown[];
    const length = readAt(place, () => from.length);
    const copy: T[] = [];
    for (let i = 0; i < length; i++) {
      const at = within(place, i);
      const item = readAt(at, () => from[i]);
      copy.push(check(item, at));
    }
    return copy;
  };
}

/** An object whose property names come from outside too. The copy has each as its own, `__proto__` as well. */
export function named<T>(check: Check<T>): Check<Record<string, T>> {
  return (value, place) => {
    const object = asObject(value, place);
    const names = readAt(place, () => Object.keys(object));
    return Object.fromEntries(names.map((name) => [name, check(own(object, name, place), within(place, name))]));
  };
}

/** `undefined`, or what the check takes. */
export function maybe<T>(check: Check<T>): Check<T | undefined> {
  return (value, place) => (value === undefined ? undefined : check(value, place));
}

export const text: Check<string> = (value, place) => {
  if (typeof value === "string") return value;
  throw wrongAt(place, "be a string", value);
};

export const flag: Check<boolean> = (value, place) => {
  if (typeof value === "boolean") return value;
  throw wrongAt(place, "be true or false", value);
};

/** Any number, NaN too. */
export const number: Check<number> = (value, place) => {
  if (typeof value === "number") return value;
  throw wrongAt(place, "be a number", value);
};

/** A number that 32-bit floats can hold. */
export const finite: Check<number> = (value, place) => {
  if (typeof value === "number" && Number.isFinite(Math.fround(value))) return value;
  throw wrongAt(place, "be a finite number, as a 32-bit float", value);
};

/** A whole number of at least `least`. */
export function whole(least = 0): Check<number> {
  return (value, place) => {
    if (Number.isSafeInteger(value) && (value as number) >= least) return value as number;
    throw wrongAt(place, `be a whole number of at least ${least}`, value);
  };
}

export const JSON_LOSES =
  "JSON does not keep typed arrays: keep them by structuredClone(), in IndexedDB, or in a file of saveModel()";

/** A typed array of one type, in a copy. */
function typed<T extends "Float32Array" | "Uint32Array">(type: T): Check<InstanceType<(typeof globalThis)[T]>> {
  return (value, place) => {
    if (readAt(place, () => arrayType(value)) !== type) throw wrongAt(place, `be a ${type}`, value, `${JSON_LOSES}.`);
    return readAt(place, () => new globalThis[type](value as never)) as InstanceType<(typeof globalThis)[T]>;
  };
}

export const floats: Check<Float32Array<ArrayBuffer>> = (value, place) => typed("Float32Array")(value, place);
export const words: Check<Uint32Array<ArrayBuffer>> = (value, place) => typed("Uint32Array")(value, place);

/** The place of the first number that is NaN or infinite; -1 where there is none. */
export function firstNotFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i;
  return -1;
}

/** The most levels and values of a config. */
const MOST = { levels: 32, values: 1_000_000 };

/** Plain JSON in a copy; properties that are `undefined` are left out. */
export const plain: Check<unknown> = (value, place) => plainWithin({ left: MOST.values }, MOST.levels)(value, place);

function plainWithin(budget: { left: number }, levels: number): Check<unknown> {
  return (value, place) => {
    if (--budget.left < 0) throw new FeaturemapError(place.code, `${place.path} holds over ${MOST.values} values.`);
    if (value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value))
      return value;
    if (levels === 0) {
      const why = `is nested over ${MOST.levels} levels deep, or holds itself`;
      throw new FeaturemapError(place.code, `${place.path} ${why}. Use plain JSON.`);
    }
    const inner = plainWithin(budget, levels - 1);
    if (readAt(place, () => Array.isArray(value))) return list(inner)(value, place);
    if (!readAt(place, () => isPlain(value))) {
      const remedy =
        typeof value === "function" ? "Use one that has a name." : "Use numbers, words, flags and lists of them.";
      const what = `${place.path} is ${show(value)}, which JSON cannot hold`;
      throw new FeaturemapError(place.code, `${what}. ${remedy}`);
    }
    const copy = named(maybe(inner))(value, place);
    return Object.fromEntries(Object.entries(copy).filter(([, item]) => item !== undefined));
  };
}

/** Whether an object is of no class of its own, in whatever realm. */
export function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * The bytes of a Uint8Array or ArrayBuffer, of whatever realm, as a view and no copy.
 *
 * @throws FeaturemapError `value` where it is neither, or its memory was transferred away
 */
export function bytesOf(value: unknown, path: string): Uint8Array {
  const place: Place = { path, code: "value" };
  if (readAt(place, () => arrayType(value)) === "Uint8Array") return bytesUnder(value, path);
  if (isBuffer(value)) return there(place, () => new Uint8Array(value));
  const fetched = typeof value === "string" ? "(await fetch(url))" : FETCHED.get(tagOf(value));
  const remedy = fetched ? `Give await ${fetched}.arrayBuffer().` : "";
  throw wrongAt(place, "be a Uint8Array or an ArrayBuffer", value, remedy);
}

/** What bytes can be asked of, as an app would name it. */
const FETCHED: ReadonlyMap<string, string> = /* @__PURE__ */ new Map([
  ["Response", "response"],
  ["Blob", "blob"],
  ["File", "file"],
]);

/**
 * The bytes under a typed array, of whatever realm, as a view and no copy.
 *
 * @throws FeaturemapError `value` where its memory was transferred away, or no longer reaches as far
 */
export function bytesUnder(value: unknown, path: string): Uint8Array {
  const typed = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array;
  const ofArray = (key: string) => Reflect.get(typed, key, value as object) as never;
  return there({ path, code: "value" }, () => {
    // Throws where the memory is gone: the lengths alone would be 0.
    typed.keys.call(value as Uint8Array);
    return new Uint8Array(ofArray("buffer"), ofArray("byteOffset"), ofArray("byteLength"));
  });
}

/** Whether bytes begin as an HTML or XML page does, which servers send where a file is missing. */
export function isPage(bytes: Uint8Array): boolean {
  return /^(\xef\xbb\xbf)?\s*</.test(String.fromCharCode(...bytes.subarray(0, 64)));
}

/** The text of a path or URL that is not empty; anything else is a `value` error. */
export function addressText(value: unknown, where: string, must: string): string {
  if (typeof value === "string" && value !== "") return value;
  try {
    if (tagOf(value) === "URL") return String(value);
  } catch {
    // It only says that it is one.
  }
  throw wrong(where, must, value);
}

/** Why a file or the network failed, without the stop at its end. */
export function reasonOf(error: unknown): string {
  if (!/^(Error|DOMException)$/.test(tagOf(error))) return show(error);
  const { message, cause } = error as Error;
  const plain = (text: unknown) => String(text).replace(/\.+$/, "");
  return tagOf(cause) === "Error" ? `${plain(message)} (${plain((cause as Error).message)})` : plain(message);
}

function isBuffer(value: unknown): value is ArrayBuffer {
  try {
    // Throws for everything else.
    return Reflect.get(ArrayBuffer.prototype, "byteLength", value) >= 0;
  } catch {
    return false;
  }
}

function there(place: Place, view: () => Uint8Array): Uint8Array {
  try {
    return view();
  } catch (cause) {
    const why = "its memory was transferred, to a worker say, or made smaller";
    throw new FeaturemapError(place.code, `${place.path} cannot be read: ${why}. Give a copy away instead.`, { cause });
  }
}
