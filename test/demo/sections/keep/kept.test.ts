// What the page takes of what a browser kept for it: the sound part, or nothing, and never an error of JavaScript's.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IMAGE_PIXELS } from "../../../../demo/network.ts";
import { entryOf } from "../../../../demo/sections/keep/kept.ts";
import { FIRST, MOST_CLASSES, MOST_IMAGES, soundPart } from "../../../../demo/sections/own/kept.ts";
import { decodeNetwork, encodeNetwork } from "../../../../demo/state/link.ts";
import { hostileValue, mutated, SEEDED } from "../../../support/hostile.ts";
import { ALL_OPTIONS } from "../../../support/networks.ts";

const image = (value = 0.5) => new Float32Array(IMAGE_PIXELS).fill(value);
const GOOD = {
  classes: [
    { name: "circle", images: [image(0), image(1)] },
    { name: "cross", images: [image()] },
  ],
  trained: { names: ["circle", "cross"], file: Uint8Array.of(1, 2, 3) },
};
const with_ = (changes: object) => ({ ...GOOD, ...changes });

/** What IndexedDB can hold of a value; `undefined` where it refuses. */
function stored(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    return undefined;
  }
}

describe("a reader's own data", () => {
  it("comes back as it was kept", () => {
    expect(soundPart(structuredClone(GOOD))).toEqual({ ...GOOD, damaged: [] });
    expect(soundPart({ classes: FIRST, trained: undefined })).toEqual({ classes: FIRST, damaged: [] });
    expect(soundPart(undefined)).toEqual({ classes: FIRST, damaged: [] });
  });

  it.each([null, 7, "text", Number.NaN, [], {}, { classes: "two" }, { classes: { 0: "x", length: 1 } }, new Map()])(
    "is damaged in whole: %s",
    (kept) => {
      expect(soundPart(kept)).toEqual({ classes: FIRST, damaged: ["all of it"] });
    },
  );

  it("loses no sound image to a damaged one beside it", () => {
    const bad = [
      image(Number.NaN),
      image(2),
      image(-1),
      new Float32Array(3),
      new Float64Array(IMAGE_PIXELS),
      null,
      "x",
    ];
    const { classes, damaged } = soundPart(
      with_({ classes: [{ name: "a", images: [image(), ...bad, image(1)] }, GOOD.classes[1]] }),
    );
    expect(classes).toEqual([{ name: "a", images: [image(), image(1)] }, GOOD.classes[1]]);
    expect(damaged).toEqual(["7 images of “a”"]);
  });

  it.each([
    ["a class that is none", [null, GOOD.classes[1]], ["the name of class 1", "the images of “class 1”"]],
    ["a name that is none", [{ ...GOOD.classes[0], name: 5 }, GOOD.classes[1]], ["the name of class 1"]],
    [
      "a name that is too long",
      [{ ...GOOD.classes[0], name: "x".repeat(25) }, GOOD.classes[1]],
      ["the name of class 1"],
    ],
    ["one class", [GOOD.classes[0]], ["all but 1 of the classes"]],
    [
      "a list with holes",
      new Array(2),
      ["the name of class 1", "the images of “class 1”", "the name of class 2", "the images of “class 2”"],
    ],
    [
      "too many images",
      [{ name: "a", images: Array.from({ length: MOST_IMAGES + 2 }, () => image()) }, GOOD.classes[1]],
      ["2 images of “a”"],
    ],
    ["too many classes", Array.from({ length: MOST_CLASSES + 1 }, () => GOOD.classes[0]), ["1 classes too many"]],
  ])("with %s is told of", (_, classes, damaged) => {
    expect(soundPart(with_({ classes })).damaged).toEqual(damaged);
  });

  it.each([
    null,
    5,
    {},
    { names: ["a"], file: Uint8Array.of(1) },
    { names: ["a", 5], file: Uint8Array.of(1) },
    { names: ["a", "b"], file: [1] },
    { names: new Array(3), file: Uint8Array.of(1) },
  ])("with a network that is none is told of: %s", (trained) => {
    const { trained: taken, damaged } = soundPart(with_({ trained }));
    expect(taken).toBeUndefined();
    expect(damaged).toEqual(["the network that learned your images"]);
  });

  it("is taken in its sound part, whatever it is", () => {
    const property = (kept: unknown) => {
      const { classes, trained, damaged } = soundPart(stored(kept));
      expect(classes.length).toBeGreaterThanOrEqual(2);
      expect(classes.length).toBeLessThanOrEqual(MOST_CLASSES);
      for (const { name, images } of classes) {
        expect(name.trim()).not.toBe("");
        for (const one of images) expect(one.length === IMAGE_PIXELS && one.every((v) => v >= 0 && v <= 1)).toBe(true);
      }
      if (trained) expect(trained.names.length).toBeGreaterThanOrEqual(2);
      // What is sound once is sound again.
      expect(soundPart({ classes, trained }).damaged).toEqual([]);
      expect(damaged.every((words) => typeof words === "string")).toBe(true);
    };
    fc.assert(fc.property(hostileValue(), property), SEEDED);
    fc.assert(fc.property(mutated(GOOD), property), SEEDED);
  });
});

describe("a network that is kept", () => {
  const NETWORK = { name: "mine", saved: 1.7e12, spec: ALL_OPTIONS, file: Uint8Array.of(1, 2) };

  it("comes back as it was kept", () => {
    expect(entryOf({ key: "mine", value: NETWORK })).toEqual({
      key: "mine",
      name: "mine",
      value: NETWORK,
      network: NETWORK,
    });
  });

  it.each([
    [{ ...NETWORK, name: "other" }, "Its name is missing."],
    [{ ...NETWORK, saved: Number.NaN }, "Its date is none."],
    [{ ...NETWORK, saved: 1e300 }, "Its date is none."],
    [{ ...NETWORK, saved: new Date() }, "Its date is none."],
    [{ ...NETWORK, file: new Uint8Array(0) }, "Its weights are missing."],
    [{ ...NETWORK, file: [1, 2] }, "Its weights are missing."],
    [{ ...NETWORK, spec: undefined }, "The network is missing, or is none."],
    [
      { ...NETWORK, spec: { ...ALL_OPTIONS, batchSize: Number.NaN } },
      "The batch size must be a number from 1 to 1024, got NaN.",
    ],
    [null, "Its name is missing."],
    ["text", "Its name is missing."],
  ])("is told of where it is damaged: %#", (value, damage) => {
    expect(entryOf({ key: "mine", value })).toEqual({ key: "mine", name: "mine", value, damage });
  });

  it("has a name in words, whatever its key, and says why it could not be read", () => {
    for (const key of [5, "", " ", new Date(0), [1], new ArrayBuffer(2)]) {
      expect(entryOf({ key, value: NETWORK })).toMatchObject({ name: "A network without a name", key });
    }
    const error = new Error("The storage failed.");
    expect(entryOf({ key: "mine", error })).toMatchObject({ name: "mine", damage: "The storage failed." });
  });

  it("is a network or damage in words, whatever is kept", () => {
    const property = (value: unknown) => {
      const entry = entryOf({ key: "mine", value: stored(value) });
      if ("damage" in entry) expect(entry.damage).toMatch(/^(Its|The|Layer|nesterov) .*\.$/s);
      else expect(encodeNetwork(entry.network.spec)).toMatch(/^1~/);
    };
    fc.assert(fc.property(hostileValue(), property), SEEDED);
    fc.assert(fc.property(mutated(NETWORK), property), SEEDED);
  });
});

describe("a link", () => {
  it("of any text is a network, or an error in words", () => {
    const good = encodeNetwork(ALL_OPTIONS);
    const cut = fc
      .tuple(fc.nat(good.length), fc.nat(good.length), fc.string())
      .map(([a, b, put]) => good.slice(0, a) + put + good.slice(b));
    const percent = fc.string({ unit: fc.constantFrom("%", "~", "-", "1", "c", "E", "4", "constructor", "__proto__") });
    const property = (text: string) => {
      try {
        expect(encodeNetwork(decodeNetwork(text))).toMatch(/^1~/);
      } catch (error) {
        expect((error as Error).name).toBe("Error");
        expect((error as Error).message).toMatch(/^(Its version is|It has a |It is not written|Layer |The |nesterov )/);
      }
    };
    for (const text of [cut, percent, percent.map((words) => `1~${words}`)])
      fc.assert(fc.property(text, property), SEEDED);
  });
});
