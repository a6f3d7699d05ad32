import { describe, expect, it } from "vitest";
import { HostData, hostData } from "../../src/data/columns.ts";
import { splitForValidation } from "../../src/data/split.ts";
import { tensor } from "../../src/data/tensor.ts";
import { failure } from "../support/building.ts";

const range = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);
const bytesOf = (data: HostData, at = 0) => {
  const { buffer, byteOffset, byteLength } = data.columns[at]!.words!;
  return new Uint8Array(buffer.slice(byteOffset, byteOffset + byteLength));
};
const floatsOf = (data: HostData, at: number) => [...new Float32Array(bytesOf(data, at).buffer)];
const wordsOf = (data: HostData, at: number) => [...new Uint32Array(bytesOf(data, at).buffer)];

describe("validationSplit", () => {
  // The counts are those of Keras's train_validation_split.
  it.each([
    [10, 0.2, 8],
    [10, 0.3, 7],
    [7, 0.25, 5],
    [3, 0.5, 1],
    [65, 0.1, 58],
    [100, 0.29, 71],
    [2, 0.4, 1],
  ])("of %i samples by %d trains on the first %i", (size, share, want) => {
    const [training, validation] = splitForValidation(hostData({ x: range(size).map((i) => [i]) }), share);
    expect([training.size, validation.size]).toEqual([want, size - want]);
    expect(floatsOf(training, 0)).toEqual(range(want));
    expect(floatsOf(validation, 0)).toEqual(range(size - want, want));
  });

  it("takes every column apart: bytes that end within a word, labels, weights, several inputs", () => {
    const x = { image: tensor(Uint8Array.from(range(15)), [5, 3]), place: range(5).map((i) => [i, -i]) };
    const y = [4, 3, 2, 1, 0];
    const sampleWeight = [1, 2, 3, 4, 0.5];
    const [training, validation] = splitForValidation(hostData({ x, y, sampleWeight }), 0.4);
    expect([...bytesOf(training)]).toEqual([...range(9), 0, 0, 0]);
    expect([...bytesOf(validation)]).toEqual([...range(6, 9), 0, 0]);
    expect(floatsOf(training, 1)).toEqual([0, -0, 1, -1, 2, -2]);
    expect(floatsOf(validation, 1)).toEqual([3, -3, 4, -4]);
    expect([wordsOf(training, 2), wordsOf(validation, 2)]).toEqual([
      [4, 3, 2],
      [1, 0],
    ]);
    expect([floatsOf(training, 3), floatsOf(validation, 3)]).toEqual([
      [1, 2, 3],
      [4, 0.5],
    ]);
    expect(training.columns.map(({ name, role, dtype }) => [name, role, dtype])).toEqual([
      ["image", "input", "u8"],
      ["place", "input", "f32"],
      [undefined, "label", "u32"],
      [undefined, "weight", "f32"],
    ]);
  });

  it.each([
    [1, 0.5],
    [3, 0.9],
  ])("of %i samples by %d is refused: nothing would be left", (size, share) => {
    const { code, message } = failure(() => splitForValidation(hostData({ x: range(size) }), share));
    expect([code, message]).toEqual([
      "value",
      `fit: validationSplit of ${share} leaves 0 of ${size} samples to train on.`,
    ]);
  });

  it("of a buffer of the app's is refused", () => {
    const column = { role: "input", name: undefined, shape: [1], dtype: "f32", scale: undefined } as const;
    const data = new HostData({
      size: 4,
      columns: [{ ...column, largestClass: undefined, words: undefined, buffer: {} as GPUBuffer }],
    });
    const { code, message } = failure(() => splitForValidation(data, 0.5));
    expect(code).toBe("value");
    expect(message).toMatch(/^fit: validationSplit must be of numbers, not of a GPUBuffer: give validationData/);
  });
});
