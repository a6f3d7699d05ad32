import { describe, expect, it } from "vitest";
import type { Column, ColumnRole } from "../../src/data/columns.ts";
import { SelectableDataset } from "../../src/datasets/create-dataset.ts";
import type { Runtime } from "../../src/gpu/runtime.ts";
import { failure } from "../support/building.ts";

const runtime = {} as Runtime;
const column = (role: ColumnRole, name?: string): Column => ({
  role,
  name,
  shape: [1],
  dtype: "f32",
  scale: undefined,
  largestClass: undefined,
  buffer: {} as GPUBuffer,
});
const whole = (size = 10, columns = [column("input"), column("label")]) =>
  new SelectableDataset(runtime, { size, columns }, [], `${size} samples`);
const rows = ({ order }: SelectableDataset) => [...order!];
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe("parts of a data set", () => {
  it("are its first samples, or the others, and share its columns", () => {
    const all = whole();
    const [first, rest] = [all.take(3), all.skip(3)];
    expect([rows(first), rows(rest)]).toEqual([range(0, 3), range(3, 10)]);
    expect([first.size, first.rows, rest.size]).toEqual([3, 10, 7]);
    expect(first.columns).toBe(all.columns);
    expect(rows(all.take(99))).toEqual(range(0, 10));
    expect(rows(all.skip(2).take(4).skip(1))).toEqual([3, 4, 5]);
    expect(String(Object.prototype.toString.call(first))).toBe("[object Dataset]");
  });

  it.each<[number, number]>([
    [0.8, 8],
    [0.25, 2], // 2.5: Python rounds to the even number
    [0.35, 4], // 3.5
    [3, 3],
    [0.999, 10],
  ])("split at %d begin with %i of 10", (at, want) => {
    const all = whole();
    if (want === 10)
      return void expect(failure(() => all.split({ at })).message).toMatch(/leaves a part of 10 samples/);
    const [train, test] = all.split({ at });
    expect([rows(train), rows(test)]).toEqual([range(0, want), range(want, 10)]);
  });

  it("split by a seed are the same each time, of different samples, and all of them", () => {
    const all = whole(65);
    const [train, test] = all.split({ at: 0.8, seed: 3 });
    expect(rows(train)).not.toEqual(range(0, 52));
    expect([...rows(train), ...rows(test)].sort((a, b) => a - b)).toEqual(range(0, 65));
    const [again] = all.split({ at: 0.8, seed: 3 });
    expect(rows(again)).toEqual(rows(train));
    expect(rows(all.split({ at: 0.8, seed: 4 })[0])).not.toEqual(rows(train));
    expect(rows(all.shuffle({ seed: 3 }).take(52))).toEqual(rows(train));
  });

  it("may be shuffled parts, repeated ones, and folds put together", () => {
    const part = whole().skip(6);
    expect(rows(part.shuffle()).sort()).toEqual([6, 7, 8, 9]);
    expect(rows(part.repeat(2))).toEqual([6, 7, 8, 9, 6, 7, 8, 9]);
    const all = whole();
    expect(rows(all.take(2).concat(all.skip(8), all.take(1)))).toEqual([0, 1, 8, 9, 0]);
  });

  it("have identities of their own, the same for the same samples", () => {
    const all = whole();
    const ids = [all, all.take(3), all.skip(3), all.shuffle(), all.shuffle({ seed: 1 })].map((each) => each.identity);
    expect(new Set(ids).size).toBe(5);
    expect(all.skip(1).take(2).identity).toBe(all.take(3).skip(1).identity);
  });

  it("put columns beside each other, and take parts of them", () => {
    const [images, places] = [
      whole(4, [column("input", "image")]),
      whole(4, [column("input", "place"), column("label")]),
    ];
    const both = images.zip(places);
    expect(both.columns.map(({ name }) => name)).toEqual(["image", "place", undefined]);
    expect([both.size, both.order]).toEqual([4, undefined]);
    expect(rows(both.skip(1))).toEqual([1, 2, 3]);
    expect(rows(images.skip(2).zip(places.skip(2)))).toEqual([2, 3]);
    places.dispose();
    expect(failure(() => both.assertLive()).message).toMatch(/^The data set was disposed/);
    expect(failure(() => both.take(1)).code).toBe("state");
    images.assertLive();
  });

  it("end with the whole, which does not end with a part", () => {
    const all = whole();
    const part = all.take(3).shuffle();
    all.take(2).dispose();
    part.assertLive();
    all.dispose();
    expect(failure(() => part.assertLive()).code).toBe("state");
  });

  it.each<[string, (all: SelectableDataset) => unknown, RegExp]>([
    ["take nothing", (all) => all.take(0), /^take: count must be a whole number of at least 1, got 0/],
    ["skip all", (all) => all.skip(10), /^skip: count must be below the 10 samples and at least 0, got 10/],
    ["skip backwards", (all) => all.skip(-1), /^skip: count must be below/],
    ["skip a half", (all) => all.skip(0.5), /^skip: count must be a whole number, got 0.5/],
    ["split at nothing", (all) => all.split({} as never), /^split: at must be a finite number/],
    ["split at 0", (all) => all.split({ at: 0 }), /^split: at 0 leaves a part of 10 samples empty/],
    ["split at all", (all) => all.split({ at: 10 }), /leaves a part of 10 samples empty/],
    ["split at 2.5", (all) => all.split({ at: 2.5 }), /^split: at must be a whole number, got 2.5/],
    ["misspell a seed", (all) => all.split({ at: 0.5, sead: 1 } as never), /^split has no option "sead"/],
    ["repeat half", (all) => all.repeat(0.5), /^repeat: times must be a whole number of at least 1/],
    ["repeat for ever", (all) => all.repeat(2 ** 40), /^repeat: .* are 2\^31 or more/],
    [
      "concat others",
      (all) => all.concat(whole()),
      /^concat: the data sets have different columns\. Make one data set/,
    ],
    ["concat arrays", (all) => all.concat([1] as never), /^concat must come from createDataset\(\)/],
    [
      "zip other sizes",
      (all) => all.zip(whole(9)),
      /^zip: the samples must be in the same order, got 10 of 10 and 9 of 9/,
    ],
    ["zip other orders", (all) => all.zip(whole().shuffle()), /^zip: the samples must be in the same order/],
    ["zip unnamed columns", (all) => all.zip(whole()), /^zip: input columns need a name each/],
    [
      "zip another runtime",
      (all) => all.zip(new SelectableDataset({} as Runtime, { size: 10, columns: [] }, [], "")),
      /different runtimes/,
    ],
  ])("cannot %s", (_, call, message) => {
    expect(failure(() => call(whole())).message).toMatch(message);
  });
});
