import { describe, expect, it } from "vitest";
import { parseSafetensors, toSafetensors } from "../../src/data/safetensors.ts";
import { FeaturemapError } from "../../src/errors.ts";

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

describe("toSafetensors", () => {
  const tensors = {
    "conv2d/kernel": { shape: [1, 2, 1, 2], data: new Float32Array([1, 2, 3, -4.5]) },
    "conv2d/bias": { shape: [2], data: new Float32Array([0.1, Number.NaN]) },
    scale: { shape: [], data: new Float32Array([7]) },
    none: { shape: [0, 3], data: new Float32Array(0) },
  };

  it("round-trips values, shapes, order and metadata", () => {
    const back = parseSafetensors(toSafetensors(tensors, { format: "featuremap", größe: "≤ 3" }));
    expect(back.tensors).toEqual(tensors);
    expect(Object.keys(back.tensors)).toEqual(Object.keys(tensors));
    expect(back.metadata).toEqual({ format: "featuremap", größe: "≤ 3" });
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
    const expected = { part: { shape: [2], data: new Float32Array([1, 2]) } };
    expect(parseSafetensors(shifted.subarray(3)).tensors).toEqual(expected);
    expect(parseSafetensors(bytes.buffer).tensors).toEqual(expected);
  });

  it("copies on reading", () => {
    const bytes = toSafetensors({ scale: tensors.scale });
    const { data } = parseSafetensors(bytes).tensors.scale!;
    bytes.fill(0);
    expect(data[0]).toBe(7);
  });

  it("round-trips an empty file and awkward names", () => {
    expect(parseSafetensors(toSafetensors({}))).toEqual({ tensors: {}, metadata: {} });
    const awkward = Object.fromEntries([["__proto__", tensors.scale]]);
    const back = parseSafetensors(toSafetensors(awkward)).tensors;
    expect(Object.keys(back)).toEqual(["__proto__"]);
  });

  it("refuses what the format cannot hold", () => {
    const data = new Float32Array(4);
    const pack = (shape: unknown, values: unknown = data) =>
      toSafetensors({ w: { shape, data: values } as { shape: number[]; data: Float32Array } });
    expect(failure(() => pack([2, 3]), "shape")).toMatch(/tensor "w": shape \[2, 3\] wants 6 values, got 4/);
    expect(failure(() => pack([-2, -2]), "shape")).toMatch(/whole numbers/);
    expect(failure(() => pack([1.5]), "shape")).toMatch(/whole numbers/);
    expect(failure(() => pack([4], new Float64Array(4)), "value")).toMatch(/Float32Array, got a Float64Array/);
    expect(failure(() => toSafetensors({ __metadata__: { shape: [4], data } }), "value")).toMatch(/metadata/);
    const metadata = { epochs: 3 } as unknown as Record<string, string>;
    expect(failure(() => toSafetensors({}, metadata), "value")).toMatch(/metadata "epochs" must be a string, got 3/);
  });
});

describe("parseSafetensors", () => {
  it("reads a header in any order, with or without padding", () => {
    const { tensors } = parseSafetensors(file({ b: entry(4, 8), a: entry(0, 4) }, [0, 0, 128, 63, 0, 0, 0, 64]));
    expect(Object.keys(tensors)).toEqual(["b", "a"]);
    expect(tensors.a!.data[0]).toBe(1);
    expect(tensors.b!.data[0]).toBe(2);
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
    expect(parseFailure(file({ w: entry(0, 4, [2], "F16") }, new Uint8Array(4)))).toMatch(
      /tensor "w" has dtype "F16": only F32 is supported/,
    );
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
});
