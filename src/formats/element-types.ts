import { arrayType } from "../base/arrays.ts";

/** Array of numbers that a safetensors file may hold. */
export type SafeArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

interface ElementType {
  /** Bytes of one element. */
  readonly bytes: number;
  readonly read: (buffer: ArrayBuffer) => SafeArray;
}

/** Types of safetensors that can be read. A type without a typed array of its own becomes the next larger one: no value changes. */
export const ELEMENT_TYPES = {
  F64: { bytes: 8, read: (buffer) => new Float64Array(buffer) },
  F32: { bytes: 4, read: (buffer) => new Float32Array(buffer) },
  F16: { bytes: 2, read: (buffer) => Float32Array.from(new Uint16Array(buffer), halfFloat) },
  BF16: { bytes: 2, read: (buffer) => topHalves(new Uint16Array(buffer)) },
  I64: { bytes: 8, read: (buffer) => new BigInt64Array(buffer) },
  I32: { bytes: 4, read: (buffer) => new Int32Array(buffer) },
  I16: { bytes: 2, read: (buffer) => new Int16Array(buffer) },
  I8: { bytes: 1, read: (buffer) => new Int8Array(buffer) },
  U64: { bytes: 8, read: (buffer) => new BigUint64Array(buffer) },
  U32: { bytes: 4, read: (buffer) => new Uint32Array(buffer) },
  U16: { bytes: 2, read: (buffer) => new Uint16Array(buffer) },
  U8: { bytes: 1, read: (buffer) => new Uint8Array(buffer) },
  BOOL: { bytes: 1, read: (buffer) => new Uint8Array(buffer) },
} as const satisfies Readonly<Record<string, ElementType>>;

export type SafeType = keyof typeof ELEMENT_TYPES;

/** Type that an array is written with. */
export const TYPE_OF: ReadonlyMap<string, SafeType> = /* @__PURE__ */ new Map<string, SafeType>([
  ["Float64Array", "F64"],
  ["Float32Array", "F32"],
  ["Int32Array", "I32"],
  ["Int16Array", "I16"],
  ["Int8Array", "I8"],
  ["Uint32Array", "U32"],
  ["Uint16Array", "U16"],
  ["Uint8Array", "U8"],
  ["BigInt64Array", "I64"],
  ["BigUint64Array", "U64"],
]);

/** Writes an array as a type that has no array of its own. Gives nothing if a value would change, or the type is not such a one. */
export function bytesAs(dtype: SafeType, data: SafeArray): Uint8Array | undefined {
  const values = data as ArrayLike<number>;
  const wanted = { F16: "Float32Array", BF16: "Float32Array", BOOL: "Uint8Array" }[dtype as string];
  if (arrayType(data) !== wanted) return undefined;
  if (dtype === "BOOL")
    return [...(data as Uint8Array)].every((value) => value < 2) ? Uint8Array.from(values) : undefined;
  const halves = dtype === "F16" ? Uint16Array.from(values, halfBits) : topBits(values);
  const again = ELEMENT_TYPES[dtype].read(halves.buffer);
  for (let i = 0; i < again.length; i++) if (!Object.is(again[i], values[i])) return undefined;
  return new Uint8Array(halves.buffer);
}

export function isElementType(name: unknown): name is SafeType {
  return typeof name === "string" && Object.hasOwn(ELEMENT_TYPES, name);
}

/** Converts each number to the nearest 32-bit float, which may be infinite. */
export function asFloats(data: SafeArray): Float32Array {
  if (data instanceof Float32Array) return data;
  return Float32Array.from(data as ArrayLike<number | bigint>, Number);
}

/** Reads a 16-bit float of IEEE 754: a sign bit, 5 bits of exponent, 10 of fraction. */
function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Bits of a number that 16 bits can hold. For other numbers they mean nothing. */
function halfBits(value: number): number {
  const size = Math.abs(value);
  const sign = Object.is(Math.sign(value), -0) || value < 0 ? 0x8000 : 0;
  if (Number.isNaN(value)) return 0x7e00;
  if (size >= 2 ** 16) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | (size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  return sign | ((exponent + 15) << 10) | (size * 2 ** (10 - exponent) - 1024);
}

function topBits(values: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  return Uint16Array.from(new Uint32Array(Float32Array.from(values).buffer), (bits) => bits >>> 16);
}

/** Reads a bfloat16: the upper half of a 32-bit float. */
function topHalves(halves: Uint16Array): Float32Array<ArrayBuffer> {
  return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
}
