import { FeaturemapError } from "./errors.ts";

const TYPED = /* @__PURE__ */ Object.getPrototypeOf(Uint8Array.prototype) as object;
const ownGetter = (key: PropertyKey) => Object.getOwnPropertyDescriptor(TYPED, key)!.get!;
const tagOf = /* @__PURE__ */ ownGetter(Symbol.toStringTag);
const trueLength = /* @__PURE__ */ ownGetter("length");

/**
 * Names a typed array's type, `Float32Array`, in any realm: arrays of an iframe or of Jest are no `instanceof` ours. Gives
 * `undefined` for anything else, and for an array with a `length` of its own.
 */
export function arrayType(value: unknown): string | undefined {
  const type = tagOf.call(value) as string | undefined;
  return type && trueLength.call(value) === (value as ArrayLike<number>).length ? type : undefined;
}

/** Gives the length of a typed array, an array or an object with a length of its own; `undefined` for anything else. */
export function lengthOf(value: unknown): number | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (!arrayType(value) && !Object.hasOwn(value, "length")) return undefined;
  const { length } = value as ArrayLike<unknown>;
  return Number.isSafeInteger(length) && length >= 0 ? length : undefined;
}

/** Tells whether a typed array holds bytes, which stay bytes on the GPU. */
export function holdsBytes(data: ArrayBufferView): data is Uint8Array | Uint8ClampedArray {
  return /^Uint8/.test(arrayType(data) ?? "");
}

/**
 * Makes an array of zeros. `where` names its use in messages.
 *
 * @throws FeaturemapError `limit` where this machine has no room for it
 */
export function allocateFloats(count: number, where: string): Float32Array<ArrayBuffer> {
  try {
    return new Float32Array(count);
  } catch (cause) {
    throw new FeaturemapError("limit", `${where}: there is no room for an array of ${count} numbers.`, { cause });
  }
}
