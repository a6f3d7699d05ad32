import { describe, expect, it } from "vitest";
import { hostData } from "../../src/data/columns.ts";
import { type DataInput, type TypedArray, tensor } from "../../src/data/tensor.ts";
import { failure } from "../support/building.ts";

const images = (samples: number) => tensor(new Uint8Array(samples * 12), [samples, 2, 2, 3]);
const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => [
  ...new Uint8Array(buffer, byteOffset, byteLength),
];
const inputOf = (x: DataInput) => hostData({ x }).columns[0]!;
const words = (x: DataInput) => inputOf(x).words!;

describe("samples", () => {
  it("have their sample's shape and the number of them", () => {
    const { size, columns } = hostData({ x: images(4) });
    expect(size).toBe(4);
    expect(columns).toHaveLength(1);
    expect(columns[0]).toMatchObject({ role: "input", name: undefined, shape: [2, 2, 3] });
  });

  it("that are bytes stay bytes, without a copy where they fill whole words", () => {
    const data = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const x = inputOf(tensor(data, [2, 4], { scale: 1 / 255 }));
    expect(x).toMatchObject({ dtype: "u8", scale: 1 / 255 });
    expect(x.words).toBe(data);
  });

  it("that are bytes are padded to whole words with zeros", () => {
    const filled = Uint8Array.of(9, 9, 1, 2, 3, 4, 5, 9, 9);
    expect(bytes(words(tensor(filled.subarray(2, 7), [1, 5])))).toEqual([1, 2, 3, 4, 5, 0, 0, 0]);
    expect(bytes(words(tensor(Uint8ClampedArray.of(7), [1, 1])))).toEqual([7, 0, 0, 0]);
  });

  it("that are floats are taken as they are, from within a larger array too", () => {
    const data = Float32Array.of(9, 1.5, -2, 9).subarray(1, 3);
    const got = words(tensor(data, [2, 1]));
    expect(got).toBe(data);
    expect(got.byteLength).toBe(8);
  });

  it.each<[TypedArray, number[]]>([
    [Float64Array.of(0.1, -2), [Math.fround(0.1), -2]],
    [Int8Array.of(-128, 127), [-128, 127]],
    [Int16Array.of(-300, 300), [-300, 300]],
    [Uint16Array.of(65535, 1), [65535, 1]],
    [Int32Array.of(-5, 5), [-5, 5]],
    [Uint32Array.of(7, 0), [7, 0]],
  ])("of other types become floats: case %#", (data, want) => {
    const x = inputOf(tensor(data, [2]));
    expect(x.dtype).toBe("f32");
    expect(x.words).toBeInstanceOf(Float32Array);
    expect([...(x.words as Float32Array)]).toEqual(want);
  });

  it("in shared memory are copied, since a queue does not take that", () => {
    const shared = new Float32Array(new SharedArrayBuffer(8));
    shared.set([1, 2]);
    const got = words(tensor(shared, [2]));
    expect(got.buffer).toBeInstanceOf(ArrayBuffer);
    expect(bytes(got)).toEqual(bytes(Float32Array.of(1, 2)));
  });

  it("may be nested arrays", () => {
    const x = inputOf([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect(x).toMatchObject({ shape: [2], dtype: "f32" });
    expect([...(x.words as Float32Array)]).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe("labels", () => {
  const labels = (y: DataInput, samples = 3) => hostData({ x: images(samples), y }).columns[1]!;

  it.each<DataInput>([
    [2, 0, 9],
    [[2], [0], [9]],
    tensor(Uint8Array.of(2, 0, 9), [3]),
    tensor(Float64Array.of(2, 0, 9), [3, 1]),
    tensor(Int32Array.of(2, 0, 9), [3]),
  ])("of one number each are classes: case %#", (y) => {
    const got = labels(y);
    expect(got).toMatchObject({ dtype: "u32", shape: [1], largestClass: 9 });
    expect(got.words).toBeInstanceOf(Uint32Array);
    expect([...(got.words as Uint32Array)]).toEqual([2, 0, 9]);
  });

  it.each<DataInput>([
    [
      [1, 0],
      [0, 1],
      [0.25, 0.75],
    ],
    tensor(Float32Array.of(1, 0, 0, 1, 0.25, 0.75), [3, 2]),
    tensor(Float64Array.of(1, 0, 0, 1, 0.25, 0.75), [3, 2]),
  ])("of several numbers each are weights, kept as they are: case %#", (y) => {
    const got = labels(y);
    expect(got).toMatchObject({ dtype: "f32", shape: [2], largestClass: undefined });
    expect([...(got.words as Float32Array)]).toEqual([1, 0, 0, 1, 0.25, 0.75]);
  });

  it("that are one-hot bytes become floats", () => {
    const got = labels(tensor(Uint8Array.of(1, 0, 0, 1, 1, 0), [3, 2]));
    expect(got.words).toBeInstanceOf(Float32Array);
    expect([...(got.words as Float32Array)]).toEqual([1, 0, 0, 1, 1, 0]);
  });

  it.each([-1, 0.5, 2 ** 32])("of which one, like %o, is no class number are floats", (label) => {
    const got = labels([0, label, 1]);
    expect(got).toMatchObject({ dtype: "f32", shape: [1], largestClass: undefined, notClass: { at: 1, value: label } });
    expect(got.negative).toEqual(label < 0 ? { at: 1, value: label } : undefined);
    expect([...(got.words as Float32Array)]).toEqual([0, label, 1]);
  });

  it("may be negative, which is told", () => {
    const got = labels(tensor(Float64Array.of(1, 0, 0, -0.5, 0, -1), [3, 2]));
    expect(got).toMatchObject({ dtype: "f32", shape: [2], negative: { at: 3, value: -0.5 } });
  });

  it("with a scale are floats", () => {
    const got = labels(tensor(Uint8Array.of(0, 51, 255), [3], { scale: 1 / 255 }));
    expect(got).toMatchObject({ dtype: "f32", shape: [1], scale: undefined });
    expect([...(got.words as Float32Array)]).toEqual([0, Math.fround(0.2), 1]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1e39])("cannot be %o", (value) => {
    for (const y of [[0, value, 1], tensor(Float64Array.of(1, 0, 0, value, 0, 1), [3, 2])]) {
      const { code, message } = failure(() => labels(y));
      expect(code).toBe("value");
      expect(message).toBe(`y: labels must be finite, got ${Math.fround(value)} in row 1.`);
    }
  });

  it.each([[[3, 2, 2]], [[3, 2, 1]], [[3, 1, 1]]])("may have shape %j", (shape) => {
    const y = tensor(new Float32Array(shape.reduce((a, b) => a * b)), shape);
    expect(labels(y)).toMatchObject({ dtype: "f32", shape: shape.slice(1) });
  });

  it("that have a scale are multiplied by it, as samples are", () => {
    const y = tensor(Uint8Array.of(255, 0, 0, 255, 255, 0), [3, 2], { scale: 1 / 255 });
    const { words, scale } = labels(y);
    expect([...(words as Float32Array)].map((weight) => weight * (scale ?? 1))).toEqual([1, 0, 0, 1, 1, 0]);
  });
});

describe("samples and labels that do not go together", () => {
  it.each([2, 4])("are refused: 3 samples, %i labels", (count) => {
    const { code, message } = failure(() => hostData({ x: images(3), y: Array.from({ length: count }, () => 0) }));
    expect(code).toBe("shape");
    for (const word of ["3 samples", `y has ${count}`, "[3, 2, 2, 3]", `[${count}]`]) expect(message).toContain(word);
  });
});

describe("what is not data", () => {
  it.each<[string, unknown, string?]>([
    ["a number", 5],
    ["nothing", undefined],
    ["null", null],
    ["a plain object", { shape: [1] }],
    ["an empty one", {}],
    ["a column that is none", { image: 1 }, "x.image"],
  ])("is refused as samples: %s", (_, x, what = "x") => {
    const { code, message } = failure(() => hostData({ x: x as DataInput }));
    expect(code).toBe("value");
    expect(message.startsWith(`${what} must be`), message).toBe(true);
  });

  it("is refused as labels, and named y", () => {
    const { code, message } = failure(() => hostData({ x: images(1), y: "cat" as unknown as DataInput }));
    expect(code).toBe("value");
    expect(message).toMatch(/^y must be/);
  });

  it("is refused as samples where its shape is wrong", () => {
    const x = { data: new Uint8Array(10), shape: [2, 4] };
    const { code, message } = failure(() => hostData({ x }));
    expect(code).toBe("shape");
    for (const word of ["x", "[2, 4]", "8", "10"]) expect(message).toContain(word);
  });

  it("is refused as samples where the arrays are ragged", () => {
    expect(failure(() => hostData({ x: [[1, 2], [3]] })).message).toMatch(/^x must be a regular array/);
    expect(failure(() => hostData({ x: [[1], [2]], y: [[1, 0], [0]] })).message).toMatch(/^y must be a regular/);
  });
});
