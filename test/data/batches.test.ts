import { describe, expect, it } from "vitest";
import { assertSource, BatchReader, type StreamSource } from "../../src/data/batches.ts";
import { tensor } from "../../src/data/tensor.ts";
import { failure } from "../support/building.ts";

const reader = (source: StreamSource) => new BatchReader(source, "fit");
/** What a pass gives: the first number of each batch. */
async function pass(of: BatchReader): Promise<number[]> {
  const got: number[] = [];
  for (let batch = await of.next(); batch; batch = await of.next()) got.push((batch.x as number[])[0]!);
  return got;
}
function* numbers(count: number) {
  for (let i = 0; i < count; i++) yield [[i]] as const;
}
async function* later(count: number) {
  for (const batch of numbers(count)) {
    await Promise.resolve();
    yield batch;
  }
}

describe("a stream's batches", () => {
  it.each<[string, () => StreamSource, boolean]>([
    ["a generator", () => numbers(3), true],
    ["an async generator", () => later(3), true],
    ["an iterator without more", () => ({ next: numbers(3).next.bind(numbers(3)) }), true],
    ["a function of a generator", () => () => numbers(3), false],
    ["a generator function", () => later.bind(null, 3), false],
    ["a function of a promise", () => () => Promise.resolve(later(3)), false],
    ["an iterable", () => new Set([...numbers(3)]), false],
    ["an async iterable", () => ({ [Symbol.asyncIterator]: () => later(3) }), false],
    [
      "a ReadableStream",
      () =>
        new ReadableStream({
          start: (c) => {
            for (const b of numbers(3)) c.enqueue(b);
            c.close();
          },
        }) as never,
      false,
    ],
  ])("come from %s, again if it can be read again", async (what, source, once) => {
    assertSource(source(), "stream");
    const batches = reader(source());
    expect(await pass(batches)).toEqual([0, 1, 2]);
    expect(batches.exhausted).toBe(once);
    // A ReadableStream gives its numbers once, though it has an iterator each time.
    if (what !== "a ReadableStream") expect(await pass(batches)).toEqual(once ? [] : [0, 1, 2]);
  });

  it.each<[unknown]>([
    [[1, 2]],
    [new Float32Array(2)],
    [tensor([1], [1])],
    [null],
    [3],
    ["text"],
    [{}],
    [Promise.resolve()],
  ])("do not come from %o", (source) => {
    const { code, message } = failure(() => assertSource(source, "stream: source"));
    expect(code).toBe("value");
    expect(message).toMatch(/^stream: source must be a generator, an iterable, or a function that makes one, got /);
  });

  it("have names in a list, by name, or are samples alone", async () => {
    const x = tensor([1, 2], [2]);
    const y = [0, 1];
    const weight = Float32Array.of(1, 2);
    const given = [[x], [x, y], [x, y, weight], { x }, { x, y, sampleWeight: weight }, x, weight];
    const batches = reader(() => given.values() as never);
    const got: unknown[] = [];
    for (let batch = await batches.next(); batch; batch = await batches.next()) got.push(batch);
    const none = { y: undefined, sampleWeight: undefined };
    expect(got).toEqual([
      { ...none, x },
      { ...none, x, y },
      { x, y, sampleWeight: weight },
      { x },
      { x, y, sampleWeight: weight },
      { x },
      { x: weight },
    ]);
  });

  it.each<[unknown, RegExp]>([
    [[], /^fit: a batch must be \[x\], \[x, y\] or \[x, y, sampleWeight\], got \[\]/],
    [[1, 2, 3, 4], /^fit: a batch must be \[x\], \[x, y\] or/],
    [
      { images: [1] },
      /^fit: a batch must be \[x, y, sampleWeight\] or \{ x, y, sampleWeight \}, got an object with keys images/,
    ],
    [{ x: [1], z: [1] }, /^fit: a batch has no option "z"/],
    [undefined, /^fit: a batch must be/],
    [7, /^fit: a batch must be/],
  ])("cannot be %o", async (batch, message) => {
    await expect(reader(() => [batch].values() as never).next()).rejects.toThrow(message);
  });

  it("are asked for one at a time, and what was opened is closed", async () => {
    const log: string[] = [];
    const source = () =>
      (function* () {
        try {
          for (let i = 0; i < 9; i++) {
            log.push(`make ${i}`);
            yield [[i]] as const;
          }
        } finally {
          log.push("closed");
        }
      })();
    const batches = reader(source);
    await batches.next();
    await batches.next();
    batches.close();
    expect(log).toEqual(["make 0", "make 1", "closed"]);
    const mine = source();
    const other = reader(mine);
    await other.next();
    other.close();
    expect(log.slice(3)).toEqual(["make 0"]);
    expect([...mine]).toHaveLength(8); // The caller's goes on where it was.
  });

  it("may be put back, and read from the beginning again where that can be", async () => {
    const again = reader(() => numbers(3));
    const first = (await again.next())!;
    again.unread(first);
    expect(await again.next()).toBe(first);
    again.restart();
    expect(await pass(again)).toEqual([0, 1, 2]);
    const once = reader(numbers(3));
    await once.next();
    once.restart();
    expect(await pass(once)).toEqual([1, 2]);
  });

  it("are no longer waited for once they are left, whatever comes of them", async () => {
    let fail = (_: Error) => {};
    const hanging = {
      next: () =>
        new Promise<never>((_, reject) => {
          fail = reject;
        }),
    };
    const batches = reader(hanging as never);
    const asked = batches.next();
    batches.leave();
    expect(await asked).toBeUndefined();
    fail(new Error("too late")); // Would end the test as an unhandled rejection.
    expect(await batches.next()).toBeUndefined();
  });

  it("fail with what the generator throws, at once or later, and with a function that makes none", async () => {
    const thrown = new Error("no disk");
    const bad = () => ({
      next: () => {
        throw thrown;
      },
    });
    await expect(reader(bad as never).next()).rejects.toBe(thrown);
    await expect(reader(() => Promise.reject(thrown)).next()).rejects.toBe(thrown);
    await expect(reader((() => [1]) as never).next()).rejects.toThrow(
      /^fit: the function must return a generator or an iterable of batches, got \[1\]/,
    );
  });

  it("that are none are known after a pass, of a function too", async () => {
    const batches = reader(() => numbers(0));
    expect(await pass(batches)).toEqual([]);
    expect(batches.exhausted).toBe(true);
  });
});
