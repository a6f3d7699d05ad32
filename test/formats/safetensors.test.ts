import { describe, expect, it } from "vitest";
import { FeaturemapError } from "../../src/base/errors.ts";
import { parseSafetensors, type SafeTensor, toSafetensors } from "../../src/formats/safetensors.ts";
import { detached, foreign } from "../support/hostile.ts";

function file(header: unknown, values: ArrayLike<number> = []): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + values.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(values, 8 + json.length);
  return bytes;
}

function entry(begin: number, end: number, shape = [(end - begin) / 4], dtype = "F32") {
  return { dtype, shape, data_offsets: [begin, end] };
}

function failure(run: () => unknown, code = "data"): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(FeaturemapError);
    expect((error as FeaturemapError).code).toBe(code);
    return (error as Error).message;
  }
  throw new Error("nothing was thrown");
}

const parseFailure = (bytes: Uint8Array, where?: string) => failure(() => parseSafetensors(bytes, where));

/** As they come back: with their type. */
function read(tensors: Record<string, SafeTensor>): [string, SafeTensor][] {
  return Object.entries(tensors).map(([name, tensor]) => [name, { ...tensor, dtype: "F32" }]);
}

describe("toSafetensors", () => {
  const tensors = {
    "conv2d/kernel": { shape: [1, 2, 1, 2], data: new Float32Array([1, 2, 3, -4.5]) },
    "conv2d/bias": { shape: [2], data: new Float32Array([0.1, Number.NaN]) },
    scale: { shape: [], data: new Float32Array([7]) },
    none: { shape: [0, 3], data: new Float32Array(0) },
  };

  it("round-trips values, shapes, order and metadata", () => {
    const back = parseSafetensors(toSafetensors(tensors, { format: "featuremap", größe: "≤ 3" }));
    expect([...back.tensors]).toEqual(read(tensors));
    expect([...back.metadata]).toEqual([
      ["format", "featuremap"],
      ["größe", "≤ 3"],
    ]);
  });

  it("lays the file out as the format says", () => {
    const bytes = toSafetensors({ a: tensors["conv2d/bias"], b: tensors.scale });
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const json = new TextDecoder().decode(bytes.subarray(8, 8 + length));
    expect(length % 8).toBe(0);
    expect(json.trimEnd()).toBe(
      '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[],"data_offsets":[8,12]}}',
    );
    expect(bytes).toHaveLength(8 + length + 12);
    expect(new DataView(bytes.buffer).getFloat32(8 + length + 8, true)).toBe(7);
  });

  it("writes a view's own part of its buffer, and reads from an odd byte", () => {
    const data = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
    const bytes = toSafetensors({ part: { shape: [2], data } });
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    const expected = read({ part: { shape: [2], data: new Float32Array([1, 2]) } });
    expect([...parseSafetensors(shifted.subarray(3)).tensors]).toEqual(expected);
    expect([...parseSafetensors(bytes.buffer).tensors]).toEqual(expected);
  });

  it("copies on reading", () => {
    const bytes = toSafetensors({ scale: tensors.scale });
    const { data } = parseSafetensors(bytes).tensors.get("scale")!;
    bytes.fill(0);
    expect(data[0]).toBe(7);
  });

  it("round-trips an empty file and awkward names", () => {
    expect(parseSafetensors(toSafetensors({}))).toEqual({ tensors: new Map(), metadata: new Map() });
    const names = ["constructor", "10", "__proto__", "2", "toString", "", "\ud800", 'a"b\\'];
    const awkward = new Map(names.map((name) => [name, tensors.scale]));
    const metadata = new Map(names.map((name) => [name, `text of ${name}`]));
    const back = parseSafetensors(toSafetensors(awkward, metadata));
    expect([...back.tensors.keys()]).toEqual(names);
    expect([...back.metadata]).toEqual([...metadata]);
    const own = Object.fromEntries([["__proto__", tensors.scale]]);
    expect([...parseSafetensors(toSafetensors(own)).tensors.keys()]).toEqual(["__proto__"]);
  });

  it("refuses what the format cannot hold", () => {
    const data = new Float32Array(4);
    const pack = (shape: unknown, values: unknown = data) =>
      toSafetensors({ w: { shape, data: values } as { shape: number[]; data: Float32Array } });
    expect(failure(() => pack([2, 3]), "shape")).toMatch(/tensor "w": shape \[2, 3\] wants 6 values, got 4/);
    expect(failure(() => pack([-2, -2]), "shape")).toMatch(/whole numbers/);
    expect(failure(() => pack([1.5]), "shape")).toMatch(/whole numbers/);
    expect(failure(() => pack([4], [1, 2, 3, 4]), "value")).toMatch(/must have its data in a Float32Array.*got \[1, 2/);
    expect(failure(() => pack([4], new DataView(new ArrayBuffer(16))), "value")).toMatch(/got a DataView/);
    expect(failure(() => pack([16], new Uint8ClampedArray(16)), "value")).toMatch(/got a Uint8ClampedArray/);
    const twice = [["w", tensors.scale] as const, ["w", tensors.scale] as const];
    expect(failure(() => toSafetensors(twice), "value")).toMatch(/entries with each name once/);
    expect(failure(() => toSafetensors({ __metadata__: { shape: [4], data } }), "value")).toMatch(/metadata/);
    const metadata = { epochs: 3 } as unknown as Record<string, string>;
    expect(failure(() => toSafetensors({}, metadata), "value")).toMatch(/metadata "epochs" must be a string, got 3/);
  });
});

/** 16 bytes, of a kind that TypeScript's library does not know yet. */
function resizableBuffer(): ArrayBuffer & { resize(bytes: number): void } {
  return Reflect.construct(ArrayBuffer, [16, { maxByteLength: 32 }]) as never;
}

describe("toSafetensors's dtype", () => {
  const pack = (dtype: unknown, data: SafeTensor["data"]) =>
    toSafetensors({ w: { shape: [data.length], dtype: dtype as "F16", data } });

  it.each(["F16", "BF16"] as const)("%s writes every value of it to its own bits", (dtype) => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const header = { w: entry(0, 131072, [65536], dtype) };
    const { tensors } = parseSafetensors(file(header, new Uint8Array(bits.buffer)));
    const written = new Uint16Array(toSafetensors(tensors).slice(-131072).buffer);
    const { data } = tensors.get("w")!;
    const other = [...bits].filter((i) => written[i] !== i && !Number.isNaN(data[i] as number));
    expect(other).toEqual([]);
    expect(parseSafetensors(pack(dtype, data)).tensors.get("w")).toEqual({ dtype, shape: [65536], data });
  });

  it("is refused where it is not the array's and cannot hold its values", () => {
    for (const [dtype, data, own] of [
      ["F16", Float32Array.of(0.1), "F32"],
      ["F16", Float32Array.of(65520), "F32"],
      ["F16", Float32Array.of(2 ** -25), "F32"],
      ["BF16", Float32Array.of(1 + 2 ** -9), "F32"],
      ["BOOL", Uint8Array.of(2), "U8"],
      ["BOOL", Float32Array.of(1), "F32"],
      ["F16", Float64Array.of(1), "F64"],
      ["U8", Float32Array.of(1), "F32"],
      ["F99", Float32Array.of(1), "F32"],
      [5, Float32Array.of(1), "F32"],
    ] as const)
      expect(failure(() => pack(dtype, data), "value")).toMatch(
        new RegExp(`tensor "w" cannot be written as dtype .*${dtype}.* Leave dtype out to write ${own}\\.$`),
      );
  });
});

describe("toSafetensors", () => {
  it("takes no object that is not one of names", () => {
    for (const none of [new Date(0), /a/, Promise.resolve({}), new Float32Array(0), new ArrayBuffer(4), () => {}, ""])
      for (const call of [() => toSafetensors(none as never), () => toSafetensors({}, none as never)])
        expect(failure(call, "value")).toMatch(/^toSafetensors: \w+ must be a plain object, or a Map or entries/);
    expect(failure(() => toSafetensors(Promise.resolve({}) as never), "value")).toMatch(/a promise: await it first\.$/);
  });

  it("says so where an array's memory is gone, whatever its shape", () => {
    const resizable = resizableBuffer();
    const beyond = new Float32Array(resizable, 8, 2);
    resizable.resize(8);
    for (const data of [detached(Float32Array.of(1)), beyond])
      for (const shape of [[0], [2]])
        expect(failure(() => toSafetensors({ a: { shape, data: data as Float32Array } }), "value")).toMatch(
          /^toSafetensors: tensor "a": data cannot be read: its memory was transferred, to a worker say, or made smaller/,
        );
    const shorter = resizableBuffer();
    const bytes = new Uint8Array(shorter, 8, 8);
    shorter.resize(4);
    expect(failure(() => parseSafetensors(bytes), "value")).toMatch(/or made smaller/);
  });
});

describe("parseSafetensors", () => {
  it("keeps the metadata's order, whatever the names are, beside tensors of objects", () => {
    const metadata = '{"b":"1","10":"2","2":"3","__proto__":"4"}';
    const one = JSON.stringify(entry(0, 4));
    const read = parseSafetensors(file(`{"10":${one},"__metadata__":${metadata}}`, new Uint8Array(4)));
    expect([...read.metadata]).toEqual(
      Object.entries({ b: "1" }).concat([
        ["10", "2"],
        ["2", "3"],
        ["__proto__", "4"],
      ]),
    );
    expect([...read.tensors.keys()]).toEqual(["10"]);
  });

  it("reads a header in any order, with or without padding", () => {
    const { tensors } = parseSafetensors(file({ b: entry(4, 8), a: entry(0, 4) }, [0, 0, 128, 63, 0, 0, 0, 64]));
    expect([...tensors.keys()]).toEqual(["b", "a"]);
    expect(tensors.get("a")!.data[0]).toBe(1);
    expect(tensors.get("b")!.data[0]).toBe(2);
  });

  it("refuses a wrong header length", () => {
    expect(parseFailure(new Uint8Array(7), "weights")).toMatch(/^weights: too short.*at least 8 bytes, got 7/);
    expect(parseFailure(file("{}  ").subarray(0, 10))).toMatch(/^safetensors data: cut short.* 4 bytes, got 2/);
    expect(parseFailure(new Uint8Array(16).fill(255))).toMatch(/not a safetensors file/);
    expect(parseFailure(new Uint8Array([1, 225, 245, 5, 0, 0, 0, 0]))).toMatch(/header of 100000001 bytes/);
  });

  it("refuses a header that is not a JSON object", () => {
    expect(parseFailure(file(""))).toMatch(/not JSON/);
    expect(parseFailure(file('{"a":'))).toMatch(/not JSON/);
    expect(parseFailure(file("\ufeff{}"))).toMatch(/not JSON/);
    const invalid = file('{"a":1}');
    invalid[10] = 0xff;
    expect(parseFailure(invalid)).toMatch(/not JSON/);
    for (const header of ["[]", "null", "3"]) expect(parseFailure(file(header))).toMatch(/must be a JSON object/);
  });

  it("refuses other dtypes by name", () => {
    expect(parseFailure(file({ w: entry(0, 4, [4], "F8_E4M3") }, new Uint8Array(4)))).toMatch(
      /tensor "w" has dtype "F8_E4M3", which is not read\. It can be F64, F32, F16, BF16, I64/,
    );
    expect(parseFailure(file({ w: entry(0, 4, [4], "toString") }, new Uint8Array(4)))).toMatch(/dtype "toString"/);
    expect(parseFailure(file({ w: { shape: [1], data_offsets: [0, 4] } }))).toMatch(/dtype undefined/);
    expect(parseFailure(file({ w: 3 }))).toMatch(/must be described by an object, got 3/);
  });

  it("refuses bad shapes and offsets", () => {
    const values = new Uint8Array(8);
    const bad = (part: object) => parseFailure(file({ w: { ...entry(0, 8), ...part } }, values));
    expect(bad({ shape: [-2] })).toMatch(/shape must be whole numbers, got \[-2\]/);
    expect(bad({ shape: "2" })).toMatch(/shape must be/);
    expect(bad({ shape: [1e300] })).toMatch(/shape must be/);
    expect(bad({ shape: [3] })).toMatch(/shape \[3\] wants 12 bytes, but data_offsets \[0, 8\] hold 8/);
    expect(bad({ shape: [2 ** 40, 2 ** 40] })).toMatch(/wants .* bytes/);
    expect(bad({ data_offsets: [0] })).toMatch(/two whole numbers/);
    expect(bad({ data_offsets: [0, 8, 8] })).toMatch(/two whole numbers/);
    expect(bad({ data_offsets: [-8, 0] })).toMatch(/two whole numbers/);
    expect(bad({ data_offsets: [8, 0] })).toMatch(/hold -8/);
  });

  it("refuses gaps, overlaps, truncation and left-over bytes", () => {
    const values = new Uint8Array(12);
    expect(parseFailure(file({ a: entry(4, 12) }, values))).toMatch(/"a" leaves a gap.*at byte 0, got 4/);
    expect(parseFailure(file({ a: entry(0, 4), b: entry(8, 12) }, values))).toMatch(/"b" leaves a gap/);
    expect(parseFailure(file({ a: entry(0, 8), b: entry(4, 12) }, values))).toMatch(/"b" overlaps.*byte 8, got 4/);
    expect(parseFailure(file({ a: entry(0, 12), b: entry(0, 12) }, values))).toMatch(/"b" overlaps/);
    expect(parseFailure(file({ a: entry(0, 16) }, values))).toMatch(/cut short: tensor "a" ends at byte 16.*got 12/);
    expect(parseFailure(file({ a: entry(0, 8) }, values))).toMatch(/fill 8 bytes, got 12/);
  });

  it("refuses metadata other than strings", () => {
    for (const metadata of [{ epochs: 3 }, ["a"], null, "a"]) {
      expect(parseFailure(file({ __metadata__: metadata }))).toMatch(/__metadata__ must be an object of strings/);
    }
  });

  it("refuses a name that comes twice, whatever is written between, and reads names in escapes", () => {
    const one = JSON.stringify(entry(0, 4));
    const values = new Uint8Array(4);
    expect(parseFailure(file(`{"w":${one},"w":${one}}`, values))).toMatch(/the header has "w" twice/);
    expect(parseFailure(file(`{"w":${one}, "\\u0077" :${one}}`, values))).toMatch(/the header has "w" twice/);
    expect(parseFailure(file(`{"__metadata__":{"a":"1","b":"}","a":"2"}}`))).toMatch(/has "a" twice/);
    expect(parseFailure(file('{"w":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', values))).toMatch(
      /has "dtype" twice/,
    );
    const quoted = '{"__metadata__":{"a":"{\\"a\\": 1, \\"a\\": 2","c":"\\\\"}}';
    expect([...parseSafetensors(file(quoted)).metadata]).toEqual([
      ["a", '{"a": 1, "a": 2'],
      ["c", "\\"],
    ]);
  });

  it("reads every type, and one that is not F32 bars no other", () => {
    const half = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x03ff, 0x0400, 0x7bff, 0x7c00, 0xfc00, 0x8000, 0x3555);
    const brain = Uint16Array.of(0x3f80, 0xc000, 0x7f80, 0x0001, 0x4049);
    const parts: [string, ArrayBufferView, ArrayLike<unknown>][] = [
      ["F16", half, [1, -2, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, 65504, Infinity, -Infinity, -0, 0.333251953125]],
      ["BF16", brain, [1, -2, Infinity, 2 ** -133, 3.140625]],
      ["F32", Float32Array.of(1.5), [1.5]],
      ["F64", Float64Array.of(Math.PI, 1e300), [Math.PI, 1e300]],
      ["I8", Int8Array.of(-128, 127), [-128, 127]],
      ["U8", Uint8Array.of(255), [255]],
      ["I16", Int16Array.of(-32768), [-32768]],
      ["U16", Uint16Array.of(65535), [65535]],
      ["I32", Int32Array.of(-(2 ** 31)), [-(2 ** 31)]],
      ["U32", Uint32Array.of(2 ** 32 - 1), [2 ** 32 - 1]],
      ["I64", BigInt64Array.of(-(2n ** 63n), 2n ** 53n + 1n), [-(2n ** 63n), 2n ** 53n + 1n]],
      ["U64", BigUint64Array.of(2n ** 64n - 1n), [2n ** 64n - 1n]],
      ["BOOL", Uint8Array.of(0, 1), [0, 1]],
    ];
    let at = 0;
    const header: Record<string, object> = {};
    const values: number[] = [];
    for (const [dtype, { buffer, byteLength }, wanted] of parts) {
      header[`of ${dtype}`] = entry(at, at + byteLength, [wanted.length], dtype);
      at += byteLength;
      values.push(...new Uint8Array(buffer as ArrayBuffer));
    }
    const { tensors } = parseSafetensors(file(header, values));
    for (const [dtype, , wanted] of parts) {
      const { dtype: type, data } = tensors.get(`of ${dtype}`)!;
      expect(type).toBe(dtype);
      expect(Array.from(data as ArrayLike<unknown>), dtype).toEqual(Array.from(wanted));
    }
    const nan = parseSafetensors(file({ w: entry(0, 2, [1], "F16") }, [0x01, 0x7e])).tensors.get("w")!;
    expect(nan.data[0]).toBeNaN();
    const again = parseSafetensors(toSafetensors(tensors)).tensors;
    expect([...again]).toEqual([...tensors]);
  });

  it("is found cut short at every byte", () => {
    const whole = toSafetensors({ a: { shape: [2], data: Float32Array.of(1, 2) } }, { b: "c" });
    for (let length = 0; length < whole.length; length++) parseFailure(whole.subarray(0, length));
  });

  it("takes bytes of another realm, and says what is none", () => {
    const whole = toSafetensors({ a: { shape: [1], data: Float32Array.of(1) } });
    const other = foreign<Uint8ArrayConstructor>("Uint8Array").from(whole) as Uint8Array;
    expect(other instanceof Uint8Array).toBe(false);
    for (const bytes of [other, other.buffer as ArrayBuffer])
      expect(parseSafetensors(bytes).tensors.get("a")!.data).toEqual(Float32Array.of(1));
    for (const none of [5, 1e10, "{}", null, [1], new DataView(new ArrayBuffer(8)), { length: 8 }])
      expect(failure(() => parseSafetensors(none as never), "value")).toMatch(/bytes must be a Uint8Array or an Arr/);
    expect(failure(() => parseSafetensors(detached(whole)), "value")).toMatch(/its memory was transferred/);
  });
});
