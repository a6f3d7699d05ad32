import { arrayType } from "./arrays.ts";
import { type ErrorCode, FeaturemapError, show, tagOf, wrong } from "./errors.ts";

/**
 * Check of a value from outside: a file, a store, a snapshot, a config. A check reads each property once and returns a copy that
 * nobody else can change. If something is wrong it throws an error that names the place: `restore: snapshot.weights[2].name`.
 * Checks end at fixed depths, take time in proportion to what they accept, and read own properties only.
 */
export type Check<T> = (value: unknown, context: CheckContext) => T;

/** Context of a check, for its messages: the path of the value, and the code of the error. */
export interface CheckContext {
  readonly path: string;
  readonly code: ErrorCode;
}

/** Applies a check to a whole value, which `path` names: `fromConfig: config`. */
export function checkedAt<T>(check: Check<T>, value: unknown, path: string, code: ErrorCode = "value"): T {
  return check(value, { path, code });
}

/** Error for a value that is not as it must be. */
export function wrongAt({ path, code }: CheckContext, must: string, value: unknown, remedy = ""): FeaturemapError {
  return new FeaturemapError(code, `${path} must ${must}, got ${show(value)}.${remedy && ` ${remedy}`}`);
}

/** Context of a property or item. */
export function within({ path, code }: CheckContext, key: string | number): CheckContext {
  const step = typeof key === "number" ? `[${key}]` : /^\w{1,40}$/.test(key) ? `.${key}` : `[${show(key)}]`;
  return { path: path + step, code };
}

/** Reads from a caller's value, whose getters and traps may throw anything. */
export function readAt<T>(context: CheckContext, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new FeaturemapError(context.code, `${context.path} cannot be read.`, { cause });
  }
}

/** Reads an own property; `undefined` if there is none. */
function own(value: object, key: string, context: CheckContext): unknown {
  return readAt(within(context, key), () =>
    Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined,
  );
}

/** Checks that a value is an object, not an array. `what` names it. */
export function asObject(value: unknown, context: CheckContext, what = "an object"): object {
  const is = typeof value === "object" && value !== null;
  if (is && !readAt(context, () => Array.isArray(value) || ArrayBuffer.isView(value))) return value;
  throw wrongAt(context, `be ${what}`, value);
}

/** Check of an object with fields of known names, which `what` names. With `only` it has no others. */
export function record<T extends object>(
  fields: { readonly [K in keyof T]: Check<T[K]> },
  { only = false, what = "an object" }: { readonly only?: boolean; readonly what?: string } = {},
): Check<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  return (value, context) => {
    const object = asObject(value, context, what);
    if (only) {
      const extra = readAt(context, () => Object.keys(object)).find((key) => !Object.hasOwn(fields, key));
      if (extra !== undefined) {
        const takes = `It takes: ${names.join(", ")}`;
        throw new FeaturemapError(context.code, `${context.path} has no option ${show(extra)}. ${takes}.`);
      }
    }
    return Object.fromEntries(
      names.map((name) => [name, fields[name](own(object, name, context), within(context, name))]),
    ) as T;
  };
}

/** Check of an array of any length, by a check of its items. */
export function list<T>(check: Check<T>): Check<T[]> {
  return (value, context) => {
    if (!readAt(context, () => Array.isArray(value))) throw wrongAt(context, "be an array", value);
    const from = value as readonly unknown[];
    const length = readAt(context, () => from.length);
    const copy: T[] = [];
    for (let i = 0; i < length; i++) {
      const at = within(context, i);
      const item = readAt(at, () => from[i]);
      copy.push(check(item, at));
    }
    return copy;
  };
}

/** Check of an object whose property names come from outside too. The copy has each as its own, even `__proto__`. */
export function dictionary<T>(check: Check<T>): Check<Record<string, T>> {
  return (value, context) => {
    const object = asObject(value, context);
    const names = readAt(context, () => Object.keys(object));
    return Object.fromEntries(names.map((name) => [name, check(own(object, name, context), within(context, name))]));
  };
}

/** Check that also takes `undefined`. */
export function optional<T>(check: Check<T>): Check<T | undefined> {
  return (value, context) => (value === undefined ? undefined : check(value, context));
}

export const text: Check<string> = (value, context) => {
  if (typeof value === "string") return value;
  throw wrongAt(context, "be a string", value);
};

export const flag: Check<boolean> = (value, context) => {
  if (typeof value === "boolean") return value;
  throw wrongAt(context, "be true or false", value);
};

/** Check of any number, NaN too. */
export const number: Check<number> = (value, context) => {
  if (typeof value === "number") return value;
  throw wrongAt(context, "be a number", value);
};

/** Check of a number that 32-bit floats can hold. */
export const finite: Check<number> = (value, context) => {
  if (typeof value === "number" && Number.isFinite(Math.fround(value))) return value;
  throw wrongAt(context, "be a finite number, as a 32-bit float", value);
};

/** Check of a whole number of at least `min`. */
export function whole(min = 0): Check<number> {
  return (value, context) => {
    if (Number.isSafeInteger(value) && (value as number) >= min) return value as number;
    throw wrongAt(context, `be a whole number of at least ${min}`, value);
  };
}

export const JSON_LOSES =
  "JSON does not keep typed arrays: keep them by structuredClone(), in IndexedDB, or in a file of saveModel()";

/** Check of a typed array of one type, which is copied. */
function typed<T extends "Float32Array" | "Uint32Array">(type: T): Check<InstanceType<(typeof globalThis)[T]>> {
  return (value, context) => {
    if (readAt(context, () => arrayType(value)) !== type)
      throw wrongAt(context, `be a ${type}`, value, `${JSON_LOSES}.`);
    return readAt(context, () => new globalThis[type](value as never)) as InstanceType<(typeof globalThis)[T]>;
  };
}

export const floats: Check<Float32Array<ArrayBuffer>> = (value, context) => typed("Float32Array")(value, context);
export const words: Check<Uint32Array<ArrayBuffer>> = (value, context) => typed("Uint32Array")(value, context);

/** Index of the first number that is NaN or infinite; -1 if there is none. */
export function firstNotFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i;
  return -1;
}

/** Most levels and values of a config. */
const MAX = { levels: 32, values: 1_000_000 };

/** Check of plain JSON. The copy has no properties that are `undefined`. */
export const plain: Check<unknown> = (value, context) => plainWithin({ left: MAX.values }, MAX.levels)(value, context);

function plainWithin(budget: { left: number }, levels: number): Check<unknown> {
  return (value, context) => {
    if (--budget.left < 0) throw new FeaturemapError(context.code, `${context.path} holds over ${MAX.values} values.`);
    if (value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value))
      return value;
    if (levels === 0) {
      const why = `is nested over ${MAX.levels} levels deep, or holds itself`;
      throw new FeaturemapError(context.code, `${context.path} ${why}. Use plain JSON.`);
    }
    const inner = plainWithin(budget, levels - 1);
    if (readAt(context, () => Array.isArray(value))) return list(inner)(value, context);
    if (!readAt(context, () => isPlain(value))) {
      const remedy =
        typeof value === "function" ? "Use one that has a name." : "Use numbers, words, flags and lists of them.";
      const what = `${context.path} is ${show(value)}, which JSON cannot hold`;
      throw new FeaturemapError(context.code, `${what}. ${remedy}`);
    }
    const copy = dictionary(optional(inner))(value, context);
    return Object.fromEntries(Object.entries(copy).filter(([, item]) => item !== undefined));
  };
}

/** Tells whether an object has no class of its own, in any realm. */
export function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * Gives the bytes of a Uint8Array or ArrayBuffer of any realm, as a view and no copy.
 *
 * @throws FeaturemapError `value` where it is neither, or its memory was transferred away
 */
export function bytesOf(value: unknown, path: string): Uint8Array {
  const context: CheckContext = { path, code: "value" };
  if (readAt(context, () => arrayType(value)) === "Uint8Array") return bytesUnder(value, path);
  if (isBuffer(value)) return viewOf(context, () => new Uint8Array(value));
  const fetched = typeof value === "string" ? "(await fetch(url))" : FETCHED.get(tagOf(value));
  const remedy = fetched ? `Give await ${fetched}.arrayBuffer().` : "";
  throw wrongAt(context, "be a Uint8Array or an ArrayBuffer", value, remedy);
}

/** Values that can give their bytes, and the call that does it. */
const FETCHED: ReadonlyMap<string, string> = /* @__PURE__ */ new Map([
  ["Response", "response"],
  ["Blob", "blob"],
  ["File", "file"],
]);

/**
 * Gives the bytes under a typed array of any realm, as a view and no copy.
 *
 * @throws FeaturemapError `value` where its memory was transferred away, or no longer reaches as far
 */
export function bytesUnder(value: unknown, path: string): Uint8Array {
  const typed = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array;
  const ofArray = (key: string) => Reflect.get(typed, key, value as object) as never;
  return viewOf({ path, code: "value" }, () => {
    // Throws if the memory is gone: the lengths alone would be 0.
    typed.keys.call(value as Uint8Array);
    return new Uint8Array(ofArray("buffer"), ofArray("byteOffset"), ofArray("byteLength"));
  });
}

/** Tells whether bytes begin as an HTML or XML page does. Servers send one in place of a missing file. */
export function isPage(bytes: Uint8Array): boolean {
  return /^(\xef\xbb\xbf)?\s*</.test(String.fromCharCode(...bytes.subarray(0, 64)));
}

/** Gives the text of a path or URL that is not empty. Anything else is a `value` error. */
export function addressText(value: unknown, where: string, must: string): string {
  if (typeof value === "string" && value !== "") return value;
  try {
    if (tagOf(value) === "URL") return String(value);
  } catch {
    // It only claims to be one.
  }
  throw wrong(where, must, value);
}

/** Gives the reason why a file or the network failed, without the full stop at its end. */
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

function viewOf(context: CheckContext, view: () => Uint8Array): Uint8Array {
  try {
    return view();
  } catch (cause) {
    const why = "its memory was transferred, to a worker say, or made smaller";
    throw new FeaturemapError(context.code, `${context.path} cannot be read: ${why}. Give a copy away instead.`, {
      cause,
    });
  }
}
