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

/** A positive whole number, or a `value` error that names the option: `conv2d: filters must be ..., got 0.` */
export function positiveInteger(value: unknown, where: string): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1) {
    throw new FeaturemapError("value", `${where} must be a whole number of at least 1, got ${show(value)}.`);
  }
  return value;
}

/** A finite number at or above `least` and below `below`, or a `value` error that names the option. */
export function finiteNumber(
  value: unknown,
  where: string,
  least = Number.NEGATIVE_INFINITY,
  below = Number.POSITIVE_INFINITY,
): number {
  if (typeof value !== "number" || !Number.isFinite(value) || value < least || value >= below) {
    const from = least === Number.NEGATIVE_INFINITY ? "" : ` of at least ${least}`;
    const to = below === Number.POSITIVE_INFINITY ? "" : ` and below ${below}`;
    throw new FeaturemapError("value", `${where} must be a finite number${from}${to}, got ${show(value)}.`);
  }
  return value;
}

/** A whole number, or a `value` error that names the option. */
export function wholeNumber(value: unknown, where: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) {
    throw new FeaturemapError("value", `${where} must be a whole number, got ${show(value)}.`);
  }
  return value;
}

/** One of the listed words, or a `value` error that lists them. */
export function oneOf<const T extends string>(value: unknown, allowed: readonly T[], where: string): T {
  if (!allowed.includes(value as T)) {
    const words = allowed.map((word) => `"${word}"`).join(", ");
    throw new FeaturemapError("value", `${where} must be one of ${words}, got ${show(value)}.`);
  }
  return value as T;
}

/** A list, or a `value` error that names the option. */
export function listOf<T>(value: readonly T[], where: string): readonly T[] {
  if (!Array.isArray(value)) throw new FeaturemapError("value", `${where} must be an array, got ${show(value)}.`);
  return value;
}

/** Throws where `options` has a key that is not listed, so that a misspelt option is never silently ignored. */
export function knownKeys<T extends object>(options: T, allowed: readonly (keyof T & string)[], where: string): void {
  if (typeof options !== "object" || options === null)
    throw new FeaturemapError("value", `${where} must be given an object of options, got ${show(options)}.`);
  for (const key of Object.keys(options)) {
    if (!(allowed as readonly string[]).includes(key)) {
      throw new FeaturemapError("value", `${where} has no option "${key}". It takes: ${allowed.join(", ")}.`);
    }
  }
}

/** The most of a list, and the most characters, that a message shows. */
const MOST = { items: 8, characters: 80 };

/** A short printable form of any value for a message. */
export function show(value: unknown): string {
  if (typeof value === "string") return `"${cut(value)}"`;
  if (typeof value === "function") return `a function ${value.name}`.trimEnd();
  if (Array.isArray(value)) return cut(`[${list(value.map(show))}]`);
  if (ArrayBuffer.isView(value)) return `a ${value.constructor.name}`;
  if (typeof value === "object" && value !== null)
    return cut(`an object with keys ${list(Object.keys(value)) || "(none)"}`);
  return String(value);
}

/** The first few items, and how many there are. */
function list(items: string[]): string {
  return [...items.slice(0, MOST.items), ...(items.length > MOST.items ? [`... (${items.length})`] : [])].join(", ");
}

function cut(text: string): string {
  return text.length > MOST.characters ? `${text.slice(0, MOST.characters)}...` : text;
}

/** A word, or none; anything else is a `value` error. */
export function optionalText(value: unknown, where: string): string | undefined {
  if (value !== undefined && (typeof value !== "string" || value === "")) {
    throw new FeaturemapError("value", `${where} must be a word, got ${show(value)}.`);
  }
  return value;
}

/** A `value` error where something was not made by the function that makes it. */
export function madeBy(made: boolean, value: unknown, where: string, maker: string): void {
  if (!made) throw new FeaturemapError("value", `${where} must come from ${maker}, got ${show(value)}.`);
}

/** True or false; anything else is a `value` error. */
export function flag(value: unknown, where: string): boolean {
  if (typeof value !== "boolean")
    throw new FeaturemapError("value", `${where} must be true or false, got ${show(value)}.`);
  return value;
}
