/**
 * Every error a user can cause is one of these. The message says what, where, got, wanted and the remedy.
 *
 * - `shape`: tensors or layers that do not fit together
 * - `value`: an option, label, dtype or size outside what is allowed
 * - `data`: a file or buffer that is not what it claims to be
 * - `limit`: the adapter cannot hold or run what the plan needs
 * - `device`: no adapter, a shader or pipeline that the driver refuses
 * - `lost`: the device is gone, by a driver reset or the app: what was on it is lost, a new runtime and model can go on
 * - `state`: a call at the wrong time (after `dispose`, before `compile`)
 */
export type ErrorCode = "shape" | "value" | "data" | "limit" | "device" | "lost" | "state";

export class FeaturemapError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "FeaturemapError";
    this.code = code;
  }
}

/** A positive whole number below 2^bits, or a `value` error that names the option: `conv2d: filters must be ..., got 0.` */
export function positiveInteger(value: unknown, where: string, bits = 53): number {
  const whole = Number.isInteger(value) && (value as number) >= 1;
  if (whole && (value as number) < 2 ** bits) return value as number;
  const most = whole ? ` and below 2^${bits}` : "";
  throw wrong(where, `be a whole number of at least 1${most}`, value);
}

/** The smallest number that 32-bit floats hold in full; a GPU may take a smaller one for 0. */
const LEAST_NORMAL = 2 ** -126;

/**
 * A number at or above `least` and below `below`, as a 32-bit float too, or a `value` error that names the option: what the GPU
 * would take for infinity, for `below` or, though it is not 0, for 0 is none.
 */
export function finiteNumber(
  value: unknown,
  where: string,
  least = Number.NEGATIVE_INFINITY,
  below = Number.POSITIVE_INFINITY,
): number {
  const fits = (number: number) => Number.isFinite(number) && number >= least && number < below;
  const valid = typeof value === "number" && fits(value);
  if (valid && value !== 0 && Math.abs(value) < LEAST_NORMAL)
    throw wrong(where, `be 0 or ${value < 0 ? "at most -" : "at least "}1.2e-38`, value);
  if (valid && fits(Math.fround(value))) return value;
  const from = least === Number.NEGATIVE_INFINITY ? "" : ` of at least ${least}`;
  const to = below === Number.POSITIVE_INFINITY ? "" : ` and below ${below}`;
  throw wrong(where, `be a finite number${from}${to}${valid ? ", as a 32-bit float" : ""}`, value);
}

/** A whole number, or a `value` error that names the option. */
export function wholeNumber(value: unknown, where: string): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw wrong(where, `be a whole number${Number.isInteger(value) ? " between -2^53 and 2^53" : ""}`, value);
}

/** One of the listed words or numbers, or a `value` error that lists them. */
export function oneOf<const T extends string | number>(value: unknown, allowed: readonly T[], where: string): T {
  if (allowed.includes(value as T)) return value as T;
  throw wrong(where, `be one of ${allowed.map((each) => JSON.stringify(each)).join(", ")}`, value);
}

/** A list, or a `value` error that names the option. */
export function listOf<T>(value: readonly T[], where: string): readonly T[] {
  if (Array.isArray(value)) return value;
  throw wrong(where, "be an array", value);
}

/**
 * Throws where `options` has a key that is not listed, so that a misspelt option is never silently ignored, and where it is no
 * object of options at all: a promise, a list, a device, something whose fields are hidden.
 */
export function knownKeys<T extends object>(options: T, allowed: readonly (keyof T & string)[], where: string): void {
  const takes = `It takes: ${allowed.join(", ")}.`;
  if (tagOf(options) !== "Object" || (Object.keys(options).length === 0 && !isPlain(options)))
    throw new FeaturemapError("value", `${where} must be given an object of options, got ${show(options)}. ${takes}`);
  for (const key of Object.keys(options)) {
    if (!(allowed as readonly string[]).includes(key))
      throw new FeaturemapError("value", `${where} has no option "${cut(key)}". ${takes}`);
  }
}

/** Whether an object's prototype is the last, in whatever realm, or none. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** A `value` error: where, what it must be or have, and what it is. */
export function wrong(where: string, must: string, value: unknown): FeaturemapError {
  return new FeaturemapError("value", `${where} must ${must}, got ${show(value)}.`);
}

/** The most of a list, the most characters, and the most levels of lists in lists that a message shows. */
const MOST = { items: 8, characters: 80, levels: 3 };

/** A short printable form of any value, with its type where that is not plain to see, for a message. */
export function show(value: unknown): string {
  try {
    return shown(value, 0);
  } catch {
    return "something that cannot be read";
  }
}

function shown(value: unknown, level: number): string {
  if (typeof value === "string") return `"${cut(value)}"${Number.isNaN(Number(value || "-")) ? "" : " (a string)"}`;
  if (typeof value === "bigint") return cut(`${value}n (a bigint)`);
  if (typeof value === "function") return cut(`a function ${value.name}`.trimEnd());
  if (typeof value !== "object" || value === null) return cut(String(value));
  if (Array.isArray(value)) {
    if (level === MOST.levels) return "[...]";
    return cut(`[${list(value.length, (i) => shown(value[i], level + 1))}]`);
  }
  const { then, length } = value as { then?: unknown; length?: unknown };
  if (typeof then === "function") return "a promise: await it first";
  const tag = tagOf(value);
  if (tag && tag !== "Object") {
    const count = ArrayBuffer.isView(value) && length !== undefined ? ` of length ${length}` : "";
    const boxed = /^(Number|String|Boolean)$/.test(tag) ? " object" : "";
    // An SVGElement, a SharedArrayBuffer: letters that are read one by one.
    return cut(`a${/^([AEIO]|[FHLMNRSX][A-Z])/.test(tag) ? "n" : ""} ${tag}${boxed}${count}`);
  }
  const keys = Object.keys(value);
  return cut(`an object with keys ${list(keys.length, (i) => keys[i]!) || "(none)"}`);
}

/** What a value says that it is, in whatever realm it was made: `Object`, `Array`, `Promise`, `GPUDevice`. */
export function tagOf(value: unknown): string {
  try {
    return Object.prototype.toString.call(value).slice(8, -1);
  } catch {
    return "";
  }
}

/** The first few items, and how many there are. */
function list(length: number, item: (i: number) => string): string {
  const items = Array.from({ length: Math.min(length, MOST.items) }, (_, i) => item(i));
  return [...items, ...(length > MOST.items ? [`... (${length})`] : [])].join(", ");
}

/** The begin of a text of the caller's, as long as a message shows. */
export function cut(text: string): string {
  return text.length > MOST.characters ? `${text.slice(0, MOST.characters)}...` : text;
}

/** An object, whatever its keys; anything else is a `value` error. */
export function anObject<T>(value: T, where: string): T {
  if (tagOf(value) === "Object") return value;
  throw wrong(where, "be an object", value);
}

/** A word; anything else is a `value` error. */
export function aWord(value: unknown, where: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw wrong(where, "be a word", value);
}

/** A word, or none; anything else is a `value` error. */
export function optionalText(value: unknown, where: string): string | undefined {
  return value === undefined ? value : aWord(value, where);
}

/** A function; anything else is a `value` error. */
export function aFunction(value: unknown, where: string): void {
  if (typeof value !== "function") throw wrong(where, "be a function", value);
}

/** A function, or none; anything else is a `value` error. */
export function optionalFunction(value: unknown, where: string): void {
  if (value !== undefined) aFunction(value, where);
}

/** A `value` error where something was not made by the function that makes it. */
export function madeBy(made: boolean, value: unknown, where: string, maker: string): void {
  if (made) return;
  const copy = /^(Sequential|Runtime)$/.test(tagOf(value)) ? " of this copy of featuremap" : "";
  throw wrong(where, `come from ${maker}${copy}`, value);
}

/** True or false; anything else is a `value` error. */
export function flag(value: unknown, where: string): boolean {
  if (typeof value === "boolean") return value;
  throw wrong(where, "be true or false", value);
}
