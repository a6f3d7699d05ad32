import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FeaturemapError } from "../../src/index.ts";
import { type AppPort, assertApart, type Bound, ByBuffers, boundFor, bytesOf } from "../../src/record/app-buffers.ts";
import { hostileValue, outcomeOf, SEEDED } from "../support/hostile.ts";

const STORAGE = 0x80;

/** As much of a buffer as is looked at. */
function buffer(size: number, usage = STORAGE): GPUBuffer {
  return { size, usage, [Symbol.toStringTag]: "GPUBuffer" } as unknown as GPUBuffer;
}

const port: AppPort = { name: "x", shape: [2, 3], dtype: "f32" };
const bytes: AppPort = { name: "b", shape: [3], dtype: "u8" };
const bound = (given: unknown, ports = [port], samples = 2) =>
  boundFor(given as never, ports, samples, 256, "record: input");

describe("what is bound of an app's buffer", () => {
  it("is as much as the samples take, bytes in whole words", () => {
    const one = buffer(1024);
    expect(bytesOf(bytes, 1)).toBe(4);
    expect(bytesOf(bytes, 5)).toBe(16);
    expect(bound(one)).toEqual([{ buffer: one, offset: 0, size: 48 }]);
    expect(bound({ buffer: one, offset: 512 }, [bytes], 5)).toEqual([{ buffer: one, offset: 512, size: 16 }]);
    expect(bound({ buffer: one, size: 48 })).toEqual([{ buffer: one, offset: 0, size: 48 }]);
    expect(bound({ x: one })).toEqual(bound(one));
    expect(bound({ b: { buffer: one, offset: 256 }, x: one }, [port, bytes])).toEqual([
      { buffer: one, offset: 0, size: 48 },
      { buffer: one, offset: 256, size: 8 },
    ]);
  });

  it("may be an input that is named like the field of a range", () => {
    const one = buffer(64);
    expect(bound({ buffer: one }, [{ ...port, name: "buffer" }])).toEqual(bound(one));
    const two = [{ ...port, name: "buffer" }, bytes];
    expect(bound({ buffer: one, b: one }, two)).toHaveLength(2);
  });

  it.each<[unknown, RegExp]>([
    [undefined, /^record: input must be a GPUBuffer, or \{ buffer, offset, size \}, got undefined\.$/],
    [{ buffer: new ArrayBuffer(8) }, /has a buffer "buffer", the model takes \{ x \}/],
    [{ x: new ArrayBuffer(8) }, /^record: input\.x must be a GPUBuffer.*got an ArrayBuffer/],
    [{}, /lacks a buffer for "x". It has: none\./],
    [buffer(44), /^record: input is f32 \[2, 2, 3\], which is 48 bytes, but its buffer has 44\.$/],
    [{ buffer: buffer(300), offset: 256 }, /but its buffer has 44 from byte 256 on\.$/],
    [{ buffer: buffer(1024), size: 44 }, /but its buffer has 44\.$/],
    [{ buffer: buffer(1024), size: Number.NaN }, /size must be a whole number, got NaN/],
    [{ buffer: buffer(1024), offset: 4 }, /offset must be a multiple of 256, .*, got 4\.$/],
    [{ buffer: buffer(1024), offset: -256 }, /offset must be a multiple of 256, .*, got -256\.$/],
    [{ buffer: buffer(1024), offset: "0" }, /offset must be a whole number, got "0"/],
    [{ buffer: buffer(1024), byteOffset: 256 }, /has no option "byteOffset"/],
    [buffer(1024, 0x8), /must have usage STORAGE/],
  ])("is refused: %o", (given, message) => {
    expect(() => bound(given)).toThrow(message);
  });

  it("is refused with documented errors, whatever is given", async () => {
    const tried = fc.asyncProperty(hostileValue(), fc.boolean(), async (value, several) => {
      const given = several ? { x: value, b: buffer(64) } : value;
      const outcome = await outcomeOf(() => void bound(given, several ? [port, bytes] : [port]));
      if ("thrown" in outcome && !(outcome.thrown instanceof FeaturemapError)) {
        expect(String((outcome.thrown as Error)?.message)).toMatch(/of the caller's|has been revoked/);
      }
    });
    await fc.assert(tried, SEEDED);
  });
});

describe("parts that lie together", () => {
  const [one, other] = [buffer(1024), buffer(1024)];
  const part = (of: GPUBuffer, offset: number, size = 256): Bound => ({ buffer: of, offset, size });

  it("may be read twice, or written beside each other", () => {
    expect(() => assertApart([part(one, 0), part(one, 0)], [part(other, 0), part(other, 256)], "r")).not.toThrow();
  });

  it("are no inputs and outputs of one buffer, and no outputs that overlap", () => {
    expect(() => assertApart([part(one, 0)], [part(one, 512)], "r")).toThrow("r: an output lies in the buffer of");
    expect(() => assertApart([], [part(one, 0, 257), part(one, 256)], "r")).toThrow("r: two outputs overlap.");
  });
});

it("what was made for buffers is found again, by all of them and their offsets", () => {
  const [a, b] = [buffer(8), buffer(8)];
  const made = new ByBuffers<string>();
  const part = (of: GPUBuffer, offset = 0): Bound => ({ buffer: of, offset, size: 4 });
  const lists = [[part(a), part(b)], [part(b), part(a)], [part(a), part(b, 256)], [part(a)]];
  lists.forEach((list, i) => {
    expect(made.at(list).value).toBe(undefined);
    made.at(list).value = `${i}`;
  });
  expect(lists.map((list) => made.at(list).value)).toEqual(["0", "1", "2", "3"]);
});
