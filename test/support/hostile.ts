import { runInNewContext } from "node:vm";
import fc from "fast-check";

/**
 * Values that strangers hand to a library, by intent or by mistake, for property tests: `hostileValue()` is anything at all,
 * `mutated(value)` is something right with one thing wrong in it.
 */

/** Cases a property: 1,000 in `npm test`; FEATUREMAP_CASES asks for another number. */
export const CASES = Number(process.env.FEATUREMAP_CASES ?? 1000);

/** One seed for all, so that every run tries the same cases. `FEATUREMAP_SEED` asks for others. */
export const SEEDED = { numRuns: CASES, seed: Number(process.env.FEATUREMAP_SEED ?? 12) } as const;

/** Deep enough to end a process that recurs. */
const DEEP = 100_000;

/** What came of a call. */
export type Outcome = { readonly returned: unknown } | { readonly thrown: unknown };

/** What a call returns or throws; of a promise, what it resolves to or rejects with. */
export async function outcomeOf(call: () => unknown): Promise<Outcome> {
  try {
    return { returned: await call() };
  } catch (thrown) {
    return { thrown };
  }
}

/** As `fc.assert`, for values that die when they are printed: a failure is the error itself, with the case's path. */
export async function holds<T>(property: fc.IAsyncProperty<T>, parameters: fc.Parameters<T> = {}): Promise<void> {
  const { failed, errorInstance, counterexamplePath } = await fc.check(property, { ...SEEDED, ...parameters });
  if (!failed) return;
  const { message, stack } = errorInstance instanceof Error ? errorInstance : new Error(String(errorInstance));
  throw Object.assign(new Error(`Case ${counterexamplePath}: ${message}`), { stack });
}

/** A getter that throws, read by nothing that only looks at the keys. */
function trapped(): object {
  return Object.defineProperty({ data: 1 }, "data", {
    enumerable: true,
    get() {
      throw new Error("a getter of the caller's");
    },
  });
}

/** Another value at each reading. */
function fickle(): object {
  let reads = 0;
  return Object.defineProperty({}, "length", { enumerable: true, get: () => reads++ });
}

function throwingProxy(): object {
  const refuse = () => {
    throw new Error("a trap of the caller's");
  };
  // fast-check itself asks each value for a symbol.
  const has = (_: object, key: PropertyKey) => (typeof key === "symbol" ? false : refuse());
  return new Proxy({}, { get: refuse, has, ownKeys: refuse, getOwnPropertyDescriptor: refuse, getPrototypeOf: refuse });
}

function revokedProxy(of: object): object {
  const { proxy, revoke } = Proxy.revocable(of, {});
  revoke();
  return proxy;
}

/** A proxy that says yes to everything, and is a function; no promise, which would never end. */
function agreeingProxy(): unknown {
  const self: unknown = new Proxy(() => {}, {
    get: (_, key) => (typeof key === "symbol" || key === "then" ? undefined : self),
  });
  return self;
}

export function deepArray(depth = DEEP): unknown[] {
  let nested: unknown[] = [1];
  for (let i = 0; i < depth; i++) nested = [nested];
  return nested;
}

export function deepObject(depth = DEEP): object {
  let nested: object = {};
  for (let i = 0; i < depth; i++) nested = { layers: nested };
  return nested;
}

function cyclicArray(): unknown[] {
  const array: unknown[] = [1];
  array.push(array);
  return array;
}

function cyclicObject(): object {
  const object: Record<string, unknown> = { layers: [], config: {} };
  object.config = object;
  object.layers = [object];
  return object;
}

/** Its memory has moved to another thread: 0 bytes are left. */
export function detached<T extends ArrayBufferView>(view: T): T {
  structuredClone(null, { transfer: [view.buffer as ArrayBuffer] });
  return view;
}

/** Made by another realm's constructors, as those of an iframe or of Jest are. */
export function foreign<T>(expression: string): T {
  return runInNewContext(`(${expression})`) as T;
}

/** A subclass whose length and iterator lie. */
class Lying extends Float32Array {
  override get length(): number {
    return 1e9;
  }
}

/** The names that break plain objects. */
export const PROTOTYPE_NAMES = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "valueOf",
  "hasOwnProperty",
  "isPrototypeOf",
  "__defineGetter__",
  "then",
  "toJSON",
  "length",
] as const;

/** Each makes its value anew, so that no case sees what another has done to it. */
const EXOTIC: readonly (() => unknown)[] = [
  () => undefined,
  () => null,
  () => Number.NaN,
  () => Number.POSITIVE_INFINITY,
  () => -0,
  () => 1e39,
  () => 1e300,
  () => 5e-324,
  () => 2 ** 53,
  () => -1,
  () => 0.5,
  () => 1n,
  () => 2n ** 64n,
  () => Symbol("symbol"),
  () => Symbol.iterator,
  () => "",
  () => "\ud800",
  () => "x".repeat(100_000),
  () => () => 1,
  () => class Made {},
  () => new Date(Number.NaN),
  () => /x/,
  () => new Map([["constructor", 1]]),
  () => new Set([1]),
  () => new WeakMap(),
  () => new Error("an error as a value"),
  () => Promise.resolve(1),
  () => Object.create(null),
  () => Object.create({ data: 1, length: 3 }),
  () => JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}'),
  () => Object.freeze({ length: 3 }),
  () => ({ length: -1 }),
  () => ({ length: 2 ** 32 }),
  () => ({ length: Number.NaN }),
  () => ({ length: 3, 0: 1, 1: 2, 2: 3 }),
  () => ({ toString: null, valueOf: null }),
  () => ({ toJSON: () => BigInt(1) }),
  () => ({ [Symbol.toPrimitive]: () => ({}) }),
  () => ({ [Symbol.toStringTag]: "Float32Array", length: 2 }),
  () => ({ [Symbol.iterator]: () => ({ next: 1 }) }),
  () => new Array(5),
  () => Object.assign([], { 3: 1 }),
  () => new Array(4_294_967_295),
  () => Object.assign([1, 2], { data: 1 }),
  () => [[1, 2], [3]],
  () => [[], []],
  () => new (class Listed extends Array {})(3),
  trapped,
  fickle,
  throwingProxy,
  agreeingProxy,
  () => [revokedProxy({}), revokedProxy([])],
  () => ({ data: revokedProxy([]), shape: [2] }),
  () => ({ data: [1, 2], shape: revokedProxy([]) }),
  () => new Proxy([1, 2, 3], {}),
  () => new Proxy(new Float32Array(2), {}),
  cyclicArray,
  cyclicObject,
  () => deepArray(),
  () => deepObject(),
  () => new ArrayBuffer(8),
  () => new SharedArrayBuffer(8),
  // ES2024's, which the types here do not know yet.
  () => Reflect.construct(ArrayBuffer, [8, { maxByteLength: 16 }]),
  () => new DataView(new ArrayBuffer(8)),
  () => new Float32Array(0),
  () => Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY),
  () => new Float64Array(2).fill(1e300),
  () => BigInt64Array.of(1n),
  () => new BigUint64Array(2),
  () => new Lying(2),
  () => new Float32Array(new SharedArrayBuffer(8)),
  () => Object.setPrototypeOf(new Float32Array(2), null),
  () => Object.create(Float32Array.prototype),
  () => Object.create(Uint8Array.prototype),
  () => detached(new Float32Array(2)),
  () => detached(new Uint8Array(8)),
  () => detached(new DataView(new ArrayBuffer(8))),
  () => foreign("new Float32Array(2)"),
  () => foreign("new Uint8Array(8)"),
  () => foreign("[1, 2, 3]"),
  () => foreign("({ data: [1, 2], shape: [2] })"),
  () => foreign("new ArrayBuffer(8)"),
  () => foreign("Object.create(null)"),
];

/** As `EXOTIC`, but only within other values: fast-check looks into those that it hands out itself. */
const INNER: readonly (() => unknown)[] = [...EXOTIC, () => revokedProxy({}), () => revokedProxy([])];

function exotic(): fc.Arbitrary<unknown> {
  return fc.nat(EXOTIC.length - 1).map((i) => EXOTIC[i]!());
}

/** Plain data with prototype names among its keys. */
function plainData(): fc.Arbitrary<unknown> {
  return fc.object({
    key: fc.oneof(fc.constantFrom(...PROTOTYPE_NAMES, "data", "shape", "name", "layers"), fc.string()),
    values: [fc.integer(), fc.double(), fc.string(), fc.boolean(), fc.constant(null), exotic()],
    withBigInt: true,
    withTypedArray: true,
    withSparseArray: true,
    withNullPrototype: true,
    withMap: true,
    maxDepth: 3,
    maxKeys: 6,
  });
}

/** Anything at all. */
export function hostileValue(): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 5, arbitrary: exotic() },
    { weight: 2, arbitrary: plainData() },
    { weight: 1, arbitrary: fc.anything({ withBigInt: true, withTypedArray: true, withSparseArray: true }) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }) },
    { weight: 1, arbitrary: fc.string() },
  );
}

/** A place in a tree of plain data: the object or array, and the key in it. */
interface Place {
  readonly at: readonly PropertyKey[];
  readonly length?: number;
}

/** All places of a tree, its own root first. Of a typed array, a few elements. */
function placesOf(value: unknown, at: readonly PropertyKey[] = []): Place[] {
  if (typeof value !== "object" || value === null) return [{ at }];
  if (ArrayBuffer.isView(value)) {
    const length = (value as unknown as ArrayLike<number>).length ?? 0;
    const some = length === 0 ? [] : [...new Set([0, length >> 1, length - 1])];
    return [{ at, length }, ...some.map((i) => ({ at: [...at, i] }))];
  }
  const own = Reflect.ownKeys(value).filter((key) => !(Array.isArray(value) && key === "length"));
  const inner = own.flatMap((key) => placesOf((value as Record<PropertyKey, unknown>)[key], [...at, key]));
  return [{ at }, ...inner];
}

/** A copy that shares nothing with the tree: plain objects, arrays, typed arrays. What else it holds is taken as it is. */
export function copyOf<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value)) return (value as unknown as Float32Array).slice() as unknown as T;
  if (Array.isArray(value)) return value.map(copyOf) as unknown as T;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return value;
  const copy = Object.create(prototype);
  for (const key of Reflect.ownKeys(value)) define(copy, key, copyOf((value as Record<PropertyKey, unknown>)[key]));
  return copy;
}

/** By definition, not by assignment: `__proto__` becomes a key like any other. */
function define(object: object, key: PropertyKey, value: unknown): void {
  // An array's length takes lengths only.
  if (key === "length" && Array.isArray(object)) return;
  Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
}

/** What is done to a place. */
type Change =
  | { readonly kind: "replace" | "add"; readonly make: () => unknown; readonly key: string }
  | { readonly kind: "remove" | "trap" | "repeat" | "shorten" | "rename"; readonly key: string };

function change(): fc.Arbitrary<Change> {
  const key = fc.oneof(fc.constantFrom<string>(...PROTOTYPE_NAMES), fc.string());
  const kept = (values: fc.Arbitrary<unknown>) => values.map((value) => () => value);
  const make: fc.Arbitrary<() => unknown> = fc.oneof(fc.constantFrom(...INNER), kept(plainData()), kept(nearby()));
  return fc.oneof(
    fc.record({ kind: fc.constantFrom("replace" as const, "replace" as const, "add" as const), make, key }),
    fc.record({
      kind: fc.constantFrom(
        "remove" as const,
        "trap" as const,
        "repeat" as const,
        "shorten" as const,
        "rename" as const,
      ),
      key,
    }),
  );
}

/** Wrong in a way that looks right: small numbers, words, counts. */
function nearby(): fc.Arbitrary<unknown> {
  return fc.oneof(
    fc.integer({ min: -3, max: 1000 }),
    fc.double({ noDefaultInfinity: false }),
    fc.constantFrom("adam", "sgd", "dense", "relu", "", "0", "1"),
    fc.array(fc.nat(100), { maxLength: 4 }),
    fc.boolean(),
  );
}

/** The tree with one change somewhere in it, in a copy. A few changes are none: a value replaced by its equal. */
export function mutated<T>(value: T): fc.Arbitrary<unknown> {
  const places = placesOf(value);
  return fc
    .tuple(fc.nat(places.length - 1), change())
    .map(([place, what]) => changed(copyOf(value), places[place]!.at, what));
}

function changed(root: unknown, at: readonly PropertyKey[], what: Change): unknown {
  const box = { root };
  const path: PropertyKey[] = ["root", ...at];
  const key = path.pop()!;
  const parent = path.reduce((object, step) => (object as Record<PropertyKey, object>)[step]!, box as object);
  const target = (parent as Record<PropertyKey, unknown>)[key];
  const put = (made: unknown) => {
    if (ArrayBuffer.isView(parent)) (parent as unknown as Float32Array)[key as number] = asNumber(made);
    else define(parent, key, made);
  };
  switch (what.kind) {
    case "add":
      if (isTree(target)) define(target, what.key, what.make());
      else put(what.make());
      break;
    case "remove":
      if (ArrayBuffer.isView(parent)) put(Number.NaN);
      else if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else if (parent === box) box.root = undefined;
      else delete (parent as Record<PropertyKey, unknown>)[key];
      break;
    case "trap":
      if (ArrayBuffer.isView(parent)) put(Number.POSITIVE_INFINITY);
      else {
        Object.defineProperty(parent, key, {
          enumerable: true,
          configurable: true,
          get() {
            throw new Error("a getter of the caller's");
          },
        });
      }
      break;
    case "repeat":
      if (Array.isArray(target)) target.push(...target.slice(0, 3));
      else put([target, target]);
      break;
    case "shorten":
      if (Array.isArray(target)) target.pop();
      else if (ArrayBuffer.isView(target)) put((target as unknown as Float32Array).slice(1));
      else if (typeof target === "string") put(target.slice(1));
      else put(undefined);
      break;
    case "rename":
      if (isTree(parent) && !Array.isArray(parent) && parent !== box) {
        delete (parent as Record<PropertyKey, unknown>)[key];
        define(parent, what.key, target);
      } else put(what.key);
      break;
    case "replace":
      put(what.make());
  }
  // The whole tree goes through fast-check's own hands, which a getter or a revoked proxy would break.
  try {
    const whole = box.root;
    Reflect.has(Object(whole), Symbol.iterator);
    return whole;
  } catch {
    return throwingProxy();
  }
}

function isTree(value: unknown): value is object {
  return typeof value === "object" && value !== null && !ArrayBuffer.isView(value) && Object.isExtensible(value);
}

function asNumber(value: unknown): number {
  return typeof value === "number" ? value : Number.NaN;
}
