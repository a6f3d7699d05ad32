import { describe, expect, it } from "vitest";
import { type DataInput, oneHot, tensor, toTensor } from "../../src/data/tensor.ts";
import { failure } from "../support/building.ts";
import { detached } from "../support/hostile.ts";

describe("tensor", () => {
  it.each([
    new Uint8Array(6),
    new Uint8ClampedArray(6),
    new Int8Array(6),
    new Uint16Array(6),
    new Int16Array(6),
    new Uint32Array(6),
    new Int32Array(6),
    new Float32Array(6),
    new Float64Array(6),
  ])("takes the array as it is, without a copy: case %#", (data) => {
    const made = tensor(data, [2, 3], { scale: 0.5 });
    expect(made.data).toBe(data);
    expect(made).toMatchObject({ shape: [2, 3], scale: 0.5 });
  });

  it("has no scale unless it is given one", () => {
    expect(tensor(new Float32Array(2), [2]).scale).toBeUndefined();
  });

  it.each<[string, readonly number[], string[]]>([
    ["too many", [2, 2], ["[2, 2]", "4", "6"]],
    ["too few", [4, 2], ["[4, 2]", "8", "6"]],
  ])("refuses a shape of %s numbers", (_, shape, words) => {
    const { code, message } = failure(() => tensor(new Float32Array(6), shape));
    expect(code).toBe("shape");
    for (const word of words) expect(message).toContain(word);
  });

  it.each([[[]], [[0, 3]], [[-2, -3]], [[1.5, 4]], [[Number.NaN]], ["6"], [undefined], [6]])(
    "refuses %j for a shape",
    (shape) => {
      const { code, message } = failure(() => tensor(new Float32Array(6), shape as number[]));
      expect(code).toBe("shape");
      expect(message).toContain("tensor");
    },
  );

  it.each([Number.NaN, Number.POSITIVE_INFINITY, "2", null])("refuses %o for a scale", (scale) => {
    const { code, message } = failure(() => tensor(new Float32Array(1), [1], { scale: scale as number }));
    expect(code).toBe("value");
    expect(message).toContain("scale");
  });
});

describe("toTensor", () => {
  it("takes nested arrays, of any depth", () => {
    const nested: [DataInput, number[]][] = [
      [[1, 2, 3], [3]],
      [
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        [2, 3],
      ],
      [
        [
          [[1], [2]],
          [[3], [4]],
          [[5], [6]],
        ],
        [3, 2, 1],
      ],
    ];
    for (const [input, shape] of nested) {
      const made = toTensor(input, "x");
      expect(made.shape).toEqual(shape);
      expect(made.data).toBeInstanceOf(Float32Array);
      expect([...made.data]).toEqual((input as number[]).flat(3));
    }
  });

  it("takes a typed array as one number a sample", () => {
    const data = Uint8Array.of(3, 1, 2);
    expect(toTensor(data, "y")).toEqual({ data, shape: [3] });
  });

  it("joins a list of typed arrays, a sample in each, as floats unless all are bytes", () => {
    const floats = toTensor([Float32Array.of(1, 2), Float64Array.of(3, 0.5), Uint8Array.of(5, 6)], "x");
    expect(floats).toEqual({ data: Float32Array.of(1, 2, 3, 0.5, 5, 6), shape: [3, 2] });
    const bytes = toTensor([Uint8Array.of(1, 255), Uint8ClampedArray.of(3, 4)], "x");
    expect(bytes).toEqual({ data: Uint8Array.of(1, 255, 3, 4), shape: [2, 2] });
    const deep = toTensor(
      [
        [Int8Array.of(-1), Int8Array.of(2)],
        [Int8Array.of(3), Int8Array.of(4)],
      ],
      "x",
    );
    expect(deep).toEqual({ data: Float32Array.of(-1, 2, 3, 4), shape: [2, 2, 1] });
  });

  it("joins a list of tensors of one shape and scale", () => {
    const image = (first: number) => tensor(Uint8Array.of(first, 2, 3, 4), [2, 2, 1], { scale: 0.5 });
    const joined = toTensor([image(1), image(9), image(7)], "x");
    expect(joined).toEqual({
      data: Uint8Array.of(1, 2, 3, 4, 9, 2, 3, 4, 7, 2, 3, 4),
      shape: [3, 2, 2, 1],
      scale: 0.5,
    });
    const other = tensor(Uint8Array.of(1, 2, 3, 4), [2, 2, 1]);
    const { code, message } = failure(() => toTensor([image(1), other], "fit: x"));
    expect(code).toBe("shape");
    expect(message).toContain("of shape [2, 2, 2, 1], but at depth 1 it has an object with keys data, shape");
  });

  it("gives flat samples of a list the shape that tensor() names", () => {
    const pixels = [Uint8Array.of(1, 2, 3, 4), Uint8Array.of(5, 6, 7, 8)];
    const made = tensor(pixels, [2, 2, 2, 1], { scale: 1 / 255 });
    expect(made).toEqual({ data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), shape: [2, 2, 2, 1], scale: 1 / 255 });
    const { code, message } = failure(() => tensor(pixels, [4, 2, 1, 1]));
    expect(code).toBe("shape");
    expect(message).toContain("its array is [2, 4]");
  });

  it.each<[unknown, string]>([
    [[[1, 2], [3]], "[2, 2]"],
    [[[1], [2, 3]], "[2, 1]"],
    [[[1, 2], 3], "[2, 2]"],
    [[1, [2, 3]], "[2]"],
    [
      [
        [[1], [2]],
        [[3], 4],
      ],
      "[2, 2, 1]",
    ],
    [
      [
        [1, 2],
        [3, "4"],
      ],
      '"4"',
    ],
    [["1"], '"1"'],
    [[null], "null"],
    [[new Float32Array(2), new Float32Array(3)], "a Float32Array of length 3"],
    [[new Float32Array(2), [1, 2]], "an array of 2"],
    [[new Float32Array(2), 1], "has 1"],
    [[[1, 2], new Float32Array(2)], "Float32Array"],
    [[tensor(new Float32Array(4), [2, 2]), tensor(new Float32Array(4), [4])], "an object with keys data, shape"],
  ])("refuses %j, which is not regular or not of numbers, and shows it", (input, word) => {
    const { code, message } = failure(() => toTensor(input as DataInput, "fit: x"));
    expect(code).toBe("shape");
    expect(message).toContain("fit: x");
    expect(message).toContain(word);
  });

  it("refuses bigints in a list", () => {
    const { code, message } = failure(() => toTensor([new BigInt64Array(2)] as never, "x"));
    expect(code).toBe("shape");
    expect(message).toContain("BigInt64Array");
  });

  it.each([[[]], [[[], []]], [[[[]]]]])("refuses %j, which is empty", (input) => {
    const { code, message } = failure(() => toTensor(input as unknown as DataInput, "y"));
    expect(code).toBe("shape");
    expect(message).toContain("empty");
  });

  it.each<[string, unknown]>([
    ["a number", 3],
    ["a word", "images"],
    ["null", null],
    ["undefined", undefined],
    ["an empty array", new Float32Array(0)],
    ["64-bit integers without a shape", new BigInt64Array(2)],
    ["a buffer", { data: new ArrayBuffer(4), shape: [4] }],
    ["a DataView", { data: new DataView(new ArrayBuffer(4)), shape: [4] }],
    ["64-bit integers", { data: new BigInt64Array(4), shape: [4] }],
    ["unsigned 64-bit integers", { data: new BigUint64Array(4), shape: [4] }],
    ["another object", { values: [1] }],
  ])("refuses %s, and says what it takes", (_, input) => {
    const { code, message } = failure(() => toTensor(input as DataInput, "evaluate: x"));
    expect(code).toBe("value");
    expect(message).toContain("evaluate: x");
    for (const word of ["typed array", "nested arrays"]) expect(message).toContain(word);
  });
});

describe("what is read of a tensor", () => {
  it("is what was checked: getters are asked once", () => {
    let asked = 0;
    const once = <T>(good: T, bad: unknown) => (asked++ < 3 ? good : bad) as T;
    const data = Uint8Array.of(1, 2);
    const input = {
      get data() {
        return once(data, "q");
      },
      get shape() {
        return once([2], "q");
      },
      get scale() {
        return once(0.5, "q");
      },
    };
    const made = toTensor(input as never, "x");
    expect([made.data, made.shape, made.scale]).toEqual([data, [2], 0.5]);
    expect([made.data, made.shape, made.scale]).toEqual([data, [2], 0.5]);
    expect(asked).toBe(3);
  });

  it("has a shape of its own", () => {
    const shape = [2, 1];
    const made = tensor(new Float32Array(2), shape);
    shape[0] = 5;
    expect(made.shape).toEqual([2, 1]);
  });
});

describe("oneHot", () => {
  it.each([[[]], [detached(Uint8Array.of(1, 2))]])("refuses to have no labels: case %#", (labels) => {
    const { code, message } = failure(() => oneHot(labels as never, 3));
    expect(code).toBe("value");
    expect(message).toMatch(/oneHot: labels must be an array of class numbers, neither empty nor transferred, got /);
  });

  it("puts a 1 in each label's column", () => {
    const { data, shape } = oneHot([2, 0, 1], 3);
    expect(shape).toEqual([3, 3]);
    expect([...data]).toEqual([0, 0, 1, 1, 0, 0, 0, 1, 0]);
  });

  it("takes typed arrays", () => {
    expect([...oneHot(Uint8Array.of(1), 2).data]).toEqual([0, 1]);
  });

  it.each([-1, 3, 0.5, Number.NaN])("refuses the label %o, and says where it is", (label) => {
    const { code, message } = failure(() => oneHot([0, label], 3));
    expect(code).toBe("value");
    for (const word of ["label 1", String(label), "[0, 3)"]) expect(message).toContain(word);
  });
});
