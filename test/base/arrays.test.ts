import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { arrayType } from "../../src/base/arrays.ts";
import { hostData } from "../../src/data/columns.ts";
import { oneHot, type TypedArray, tensor, toTensor } from "../../src/data/tensor.ts";
import { initialize } from "../../src/layers/initializers.ts";
import { checkedWeights } from "../../src/model/calls.ts";
import { checkedCallbacks } from "../../src/training/callback.ts";
import { failure } from "../support/building.ts";

/** Arrays of an iframe, of a worker's test or of Jest are made by other constructors than ours. */
const foreign = (expression: string) => runInNewContext(`(${expression})`);
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => [
  ...new Uint8Array(buffer, byteOffset, byteLength),
];

describe("arrays of another realm", () => {
  it("are no instances of ours", () => {
    expect(foreign("new Float32Array(1)") instanceof Float32Array).toBe(false);
    expect(foreign("new Uint8Array(1).buffer") instanceof ArrayBuffer).toBe(false);
  });

  it.each<[string, string, unknown[]]>([
    ["Uint8Array", "u8", [1, 2, 3, 4]],
    ["Uint8ClampedArray", "u8", [1, 2, 3, 4]],
    ["Int8Array", "f32", [1, 2, 3, 4]],
    ["Uint16Array", "f32", [1, 2, 3, 4]],
    ["Int16Array", "f32", [1, 2, 3, 4]],
    ["Uint32Array", "f32", [1, 2, 3, 4]],
    ["Int32Array", "f32", [1, 2, 3, 4]],
    ["Float32Array", "f32", [1, 2, 3, 4]],
    ["Float64Array", "f32", [1, 2, 3, 4]],
  ])("keep their type and scale as samples: %s", (type, dtype, numbers) => {
    const data = foreign(`${type}.of(${numbers})`) as TypedArray;
    const x = hostData({ x: tensor(data, [2, 2], { scale: 0.5 }) }).columns[0]!;
    expect(x).toMatchObject({ dtype, scale: 0.5, shape: [2] });
    const got = dtype === "u8" ? bytesOf(x.words!) : [...new Float32Array(x.words!.buffer, x.words!.byteOffset, 4)];
    expect(got).toEqual(numbers);
  });

  it("that are odd bytes are padded, and those of shared memory copied, as ours are", () => {
    const odd = hostData({ x: tensor(foreign("Uint8Array.of(9, 1, 2, 3, 4, 5).subarray(1)"), [1, 5]) });
    expect(bytesOf(odd.columns[0]!.words!)).toEqual([1, 2, 3, 4, 5, 0, 0, 0]);
    const shared = hostData({ x: tensor(foreign("new Float32Array(new SharedArrayBuffer(8))"), [2]) });
    expect(shared.columns[0]!.words!.buffer).toBeInstanceOf(ArrayBuffer);
  });

  it("serve as labels, classes and weights", () => {
    const y = hostData({ x: [[1], [2]], y: tensor(foreign("Int32Array.of(1, 0)"), [2]) }).columns[1]!;
    expect(y).toMatchObject({ dtype: "u32", largestClass: 1 });
    expect([...oneHot(foreign("Uint8Array.of(1)"), 2).data]).toEqual([0, 1]);
    expect([...oneHot(foreign("[1]"), 2).data]).toEqual([0, 1]);
    const weights = foreign("[{ shape: [2], data: Float32Array.of(1, 2) }]");
    expect(checkedWeights(weights, [{ path: "a", shape: [2] }])).toEqual([Float32Array.of(1, 2)]);
  });

  it("may be nested, or what an initializer returns", () => {
    expect([...toTensor(foreign("[[1, 2], [3, 4]]"), "x").data]).toEqual([1, 2, 3, 4]);
    expect([...initialize(foreign("(shape, seed) => Float32Array.of(seed, 1)"), [2], 7)]).toEqual([7, 1]);
    expect(checkedCallbacks(foreign("[{ onTrainBatchEnd() {} }]"), "fit: callbacks")).toHaveLength(1);
  });

  it("that have no numbers are refused by their names", () => {
    const { message } = failure(() => tensor(foreign("new BigInt64Array(2)"), [2]));
    expect(message).toContain("not of bigints");
    expect(message).toContain("got a BigInt64Array of length 2");
    expect(failure(() => tensor(foreign("new DataView(new ArrayBuffer(2))"), [2])).message).toContain("got a DataView");
  });
});

describe("arrayType", () => {
  class Lying extends Float32Array {
    override get length(): number {
      return 1e9;
    }
  }
  class Honest extends Float32Array {}

  it.each<[unknown, string | undefined]>([
    [new Float32Array(1), "Float32Array"],
    [new Honest(1), "Float32Array"],
    [foreign("new Int8Array(1)"), "Int8Array"],
    [new Uint8ClampedArray(0), "Uint8ClampedArray"],
    [new Lying(2), undefined],
    [Object.setPrototypeOf(new Float32Array(2), null), undefined],
    [Object.create(Float32Array.prototype), undefined],
    [{ [Symbol.toStringTag]: "Float32Array", length: 2 }, undefined],
    [new DataView(new ArrayBuffer(4)), undefined],
    [[1], undefined],
    ["Float32Array", undefined],
    [null, undefined],
    [undefined, undefined],
  ])("is what an array is, not what it says: case %#", (value, type) => {
    expect(arrayType(value)).toBe(type);
  });
});
