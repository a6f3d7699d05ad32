/**
 * Code of an error that a user can cause. The message says what, where, got, wanted and the remedy.
 *
 * - `shape`: tensors or layers that do not fit together
 * - `value`: an option, label, dtype or size outside what is allowed
 * - `data`: a file or buffer that is not what it claims to be
 * - `limit`: the adapter cannot hold or run what the plan needs
 * - `device`: no adapter, a shader or pipeline that the driver refuses
 * - `lost`: the device is gone, by a driver reset or the app. What was on it is lost; a new runtime and model can go on
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

/** Checks a positive whole number below 2^bits. A `value` error names the option: `conv2d: filters must be ..., got 0.` */
export function positiveInteger(value: unknown, where: string, bits = 53): number {
  const whole = Number.isInteger(value) && (value as number) >= 1;
  if (whole && (value as number) < 2 ** bits) return value as number;
  const most = whole ? ` and below 2^${bits}` : "";
  throw wrong(where, `be a whole number of at least 1${most}`, value);
}

/** Smallest normal 32-bit float. A GPU may take a smaller number for 0. */
const MIN_NORMAL = 2 ** -126;

/**
 * Checks a number of at least `min` and below `below`, also after its rounding to 32 bits. A `value` error names the option. It refuses
 * numbers that the GPU would take for infinity or for `below`, and small ones that it would take for 0.
 */
export function finiteNumber(
  value: unknown,
  where: string,
  min = Number.NEGATIVE_INFINITY,
  below = Number.POSITIVE_INFINITY,
): number {
  const fits = (number: number) => Number.isFinite(number) && number >= min && number < below;
  const valid = typeof value === "number" && fits(value);
  if (valid && value !== 0 && Math.abs(value) < MIN_NORMAL)
    throw wrong(where, `be 0 or ${value < 0 ? "at most -" : "at least "}1.2e-38`, value);
  if (valid && fits(Math.fround(value))) return value;
  const from = min === Number.NEGATIVE_INFINITY ? "" : ` of at least ${min}`;
  const to = below === Number.POSITIVE_INFINITY ? "" : ` and below ${below}`;
  throw wrong(where, `be a finite number${from}${to}${valid ? ", as a 32-bit float" : ""}`, value);
}

/** Checks a whole number. A `value` error names the option. */
export function wholeNumber(value: unknown, where: string): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw wrong(where, `be a whole number${Number.isInteger(value) ? " between -2^53 and 2^53" : ""}`, value);
}

/** Checks one of the listed words or numbers. A `value` error lists them, and ends with a remedy if there is one. */
export function oneOf<const T extends string | number>(
  value: unknown,
  allowed: readonly T[],
  where: string,
  remedy?: string,
): T {
  if (allowed.includes(value as T)) return value as T;
  throw wrong(where, `be one of ${allowed.map((each) => JSON.stringify(each)).join(", ")}`, value, remedy);
}

/** Checks a list. A `value` error names the option. */
export function listOf<T>(value: readonly T[], where: string): readonly T[] {
  if (Array.isArray(value)) return value;
  throw wrong(where, "be an array", value);
}

/**
 * Throws if `options` has a key that is not listed, so that a misspelt option is never silently ignored. Also throws if it is no
 * object of options: a promise, a list, a device, something whose fields are hidden.
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

/** Tells whether an object has no class of its own, in any realm: its prototype is the last one, or none. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Makes a `value` error: where, what the value must be or have, what it is and, if it is not plain, what to do. */
export function wrong(where: string, must: string, value: unknown, remedy = ""): FeaturemapError {
  return new FeaturemapError("value", `${where} must ${must}, got ${show(value)}.${remedy && ` ${remedy}`}`);
}

/** Most items of a list, characters, and levels of lists in lists that a message shows. */
const MAX = { items: 8, characters: 80, levels: 3 };

/** Prints any value in short for a message, with its type if that is not plain to see. */
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
  // A layer is a function whose name may be none.
  if (typeof value === "function") return cut(`a function ${value.name ?? ""}`.trimEnd());
  if (typeof value !== "object" || value === null) return cut(String(value));
  if (Array.isArray(value)) {
    if (level === MAX.levels) return "[...]";
    return cut(`[${list(value.length, (i) => shown(value[i], level + 1))}]`);
  }
  const { then, length } = value as { then?: unknown; length?: unknown };
  if (typeof then === "function") return "a promise: await it first";
  const tag = tagOf(value);
  if (tag && tag !== "Object") {
    const count = ArrayBuffer.isView(value) && length !== undefined ? ` of length ${length}` : "";
    const boxed = /^(Number|String|Boolean)$/.test(tag) ? " object" : "";
    // Letters that are read one by one: an SVGElement, a SharedArrayBuffer.
    return cut(`a${/^([AEIO]|[FHLMNRSX][A-Z])/.test(tag) ? "n" : ""} ${tag}${boxed}${count}`);
  }
  const keys = Object.keys(value);
  return cut(`an object with keys ${list(keys.length, (i) => keys[i]!) || "(none)"}`);
}

/** Type that a value says it has, in any realm: `Object`, `Array`, `Promise`, `GPUDevice`. */
export function tagOf(value: unknown): string {
  try {
    return Object.prototype.toString.call(value).slice(8, -1);
  } catch {
    return "";
  }
}

/** Prints the first few items, and how many there are. */
function list(length: number, item: (i: number) => string): string {
  const items = Array.from({ length: Math.min(length, MAX.items) }, (_, i) => item(i));
  return [...items, ...(length > MAX.items ? [`... (${length})`] : [])].join(", ");
}

/** Beginning of a caller's text, as long as a message shows. */
export function cut(text: string): string {
  return text.length > MAX.characters ? `${text.slice(0, MAX.characters)}...` : text;
}

/** Checks an object, whatever its keys. Anything else is a `value` error. */
export function anObject<T>(value: T, where: string): T {
  if (tagOf(value) === "Object") return value;
  throw wrong(where, "be an object", value);
}

/** Checks a word. Anything else is a `value` error. */
export function aWord(value: unknown, where: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw wrong(where, "be a word", value);
}

/** Checks a word, or `undefined`. Anything else is a `value` error. */
export function optionalText(value: unknown, where: string): string | undefined {
  return value === undefined ? value : aWord(value, where);
}

/** Checks a function. Anything else is a `value` error. */
export function aFunction(value: unknown, where: string): void {
  if (typeof value !== "function") throw wrong(where, "be a function", value);
}

/** Checks a function, or `undefined`. Anything else is a `value` error. */
export function optionalFunction(value: unknown, where: string): void {
  if (value !== undefined) aFunction(value, where);
}

/** Throws a `value` error if something was not made by the function that makes it. */
export function assertMadeBy(made: boolean, value: unknown, where: string, maker: string): void {
  if (made) return;
  const copy = /^(Sequential|Runtime)$/.test(tagOf(value)) ? " of this copy of featuremap" : "";
  throw wrong(where, `come from ${maker}${copy}`, value);
}

/** Checks true or false. Anything else is a `value` error. */
export function flag(value: unknown, where: string): boolean {
  if (typeof value === "boolean") return value;
  throw wrong(where, "be true or false", value);
}
