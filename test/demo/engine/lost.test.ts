// Whether the page takes an error for that of a lost device: by what the device says, whatever the error is.

import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { codeOf, lostInWords, wasLost } from "../../../demo/engine/lost.ts";
import { wordsOf } from "../../../demo/error-words.ts";
import { FeaturemapError, type Runtime } from "../../../src/index.ts";

const lost = Promise.resolve({ reason: "unknown" });
const live = new Promise<never>(() => {});
const soon = () => new Promise((resolve) => setTimeout(resolve, 50));

const of = (code: ConstructorParameters<typeof FeaturemapError>[0]) => new FeaturemapError(code, "The words.");
/** As comlink brings an error to the other side. */
const crossed = ({ name, message, stack }: Error) => Object.assign(new Error(message), { name, message, stack });

/** What a device that is gone fails calls with, or may, each with the code that it has for us. */
const VAGUE: readonly (readonly [string, unknown, string | undefined])[] = [
  ["an OperationError, whose legacy code is 0", new DOMException("Instance dropped.", "OperationError"), undefined],
  ["an AbortError, whose legacy code is 20", new DOMException("Buffer unmapped.", "AbortError"), undefined],
  ["an InvalidStateError, whose legacy code is 11", new DOMException("Lost.", "InvalidStateError"), undefined],
  ["a GPUPipelineError", Object.assign(new Error("Internal"), { name: "GPUPipelineError", code: 0 }), undefined],
  ["a TypeError", new TypeError("Failed to execute 'submit'"), undefined],
  ["an error of another realm", runInNewContext("new Error('Gone.')"), undefined],
  ["a string", "gone", undefined],
  ["nothing", undefined, undefined],
  ["null", null, undefined],
  ["a code that is none of ours", Object.assign(new Error("x"), { code: "ECONNRESET" }), undefined],
  ["a code that every object has", Object.assign(new Error("x"), { code: "constructor" }), undefined],
  ["the library's `state`: what was on the device is gone", of("state"), "state"],
  ["the library's `device`: a driver refuses", of("device"), "device"],
  ["a clone of the library's, which has lost its code", structuredClone(of("value")), undefined],
  ["the library's `lost` from a worker, which has lost its code", crossed(of("lost")), undefined],
];

describe("an error that may be a lost device's", () => {
  it.each(VAGUE)("%s, is one where the device is lost, or soon will be, and only there", async (_, error, code) => {
    expect(codeOf(error)).toBe(code);
    expect(await wasLost(error, lost)).toBe(true);
    expect(await wasLost(error, soon())).toBe(true);
    expect(await wasLost(error, live)).toBe(false);
  });

  it("is one where the library says so, also from another realm, whatever has become of the device", async () => {
    const other = runInNewContext("Object.assign(new Error('The words.'), { code: 'lost' })");
    for (const error of [of("lost"), other]) {
      expect(codeOf(error)).toBe("lost");
      expect(await wasLost(error, live)).toBe(true);
    }
  });

  it.each(["shape", "value", "data", "limit"] as const)("is none where the library says `%s`", async (code) => {
    expect(codeOf(of(code))).toBe(code);
    expect(await wasLost(of(code), lost)).toBe(false);
  });
});

describe("what runs on a device", () => {
  const on = (lost: Promise<unknown>) => ({ runtime: async () => ({ lost }) as unknown as Runtime });

  it("fails with the library's `lost` where the device is, and else with its own error", async () => {
    const error = new DOMException("Instance dropped.", "OperationError");
    const run = () => Promise.reject(error);
    const wanted = { code: "lost", message: "Instance dropped.", cause: error };
    await expect(lostInWords(on(soon()), run)).rejects.toMatchObject(wanted);
    await expect(lostInWords(on(live), run)).rejects.toBe(error);
    expect(await lostInWords(on(lost), async () => 5)).toBe(5);
  });
});

describe("an error's words", () => {
  it.each([
    [of("value"), "The words."],
    [structuredClone(of("value")), "The words."],
    [crossed(of("value")), "The words."],
    [new DOMException("No room.", "QuotaExceededError"), "No room."],
    [runInNewContext("new TypeError('Of another realm.')"), "Of another realm."],
    ["a string", "a string"],
    [undefined, "undefined"],
    [null, "The error has no words."],
    [Object.create(null), "The error has no words."],
    [{ message: 5 }, "The error has no words."],
    [Symbol("s"), "Symbol(s)"],
    [7n, "7"],
  ])("of %s", (error, words) => {
    expect(wordsOf(error)).toBe(words);
  });
});
