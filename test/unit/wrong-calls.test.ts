import { expect, it } from "vitest";
import { conv2d, dense, oneHot, sequential, sgd, tensor } from "../../src/index.ts";
import { checkedWeights } from "../../src/model/calls.ts";
import { checkCompileOptions } from "../../src/model/compile-options.ts";
import { checkFitOptions } from "../../src/model/fit.ts";
import { failure } from "./building.ts";

const loss = "categoricalCrossentropy";
const layer = dense({ units: 3, inputShape: [4] });
const parameters = [{ path: "dense/kernel", shape: [4, 3] }];

/** Calls of the wrong type, as plain JavaScript makes them, and what their messages must say. */
const wrong: [what: string, call: () => unknown, message: RegExp][] = [
  ["one layer", () => sequential(layer as never), /sequential: layers must be an array, got an object/],
  ["no layers", () => sequential(null as never), /sequential: layers must be an array, got null/],
  ["a metric", () => checkCompileOptions({ loss, optimizer: sgd(), metrics: "accuracy" as never }), /an array/],
  ["no loss", () => checkCompileOptions({ loss: null as never, optimizer: sgd() }), /loss must be one of .*got null/],
  ["an empty loss", () => checkCompileOptions({ loss: {} as never, optimizer: sgd() }), /loss must be one of/],
  ["a loss alone", () => checkCompileOptions({ loss }), /optimizer must come from sgd\(\).*got undefined/],
  ["an optimizer alone", () => checkCompileOptions({ optimizer: sgd() }), /loss must be one of .*got undefined/],
  ["a runtime", () => checkCompileOptions({ loss, optimizer: sgd(), runtime: {} as never }), /createRuntime\(\)/],
  [
    "memory",
    () => checkCompileOptions({ loss, optimizer: sgd(), memory: "small" as never }),
    /one of "fast", "compact"/,
  ],
  [
    "progress",
    () => checkCompileOptions({ loss, optimizer: sgd(), onProgress: 1 as never }),
    /onProgress must be a func/,
  ],
  ["no time", () => checkFitOptions({ submitMs: 0 }), /submitMs must be a finite number of at least 1, got 0/],
  ["callbacks", () => checkFitOptions({ callbacks: {} as never }), /callbacks must be an array/],
  ["a function", () => checkFitOptions({ callbacks: [(() => 0) as never] }), /callbacks must be objects with hooks/],
  ["nothing", () => checkFitOptions({ callbacks: [undefined as never] }), /callbacks must be objects with hooks/],
  ["a pause", () => checkFitOptions({ pause: true as never }), /pause must come from pauseSwitch\(\), got true/],
  ["no pause", () => checkFitOptions({ pause: null as never }), /pause must come from pauseSwitch\(\), got null/],
  ["resume", () => checkFitOptions({ resume: {} as never }), /resume must be true or false, got an object/],
  ["shuffle", () => checkFitOptions({ shuffle: "no" as never }), /shuffle must be true or false, got "no"/],
  ["no weights", () => checkedWeights(undefined as never, parameters), /weights must be an array, got undefined/],
  ["a null weight", () => checkedWeights([null as never], parameters), /got null in place of \{ data \} at place 0/],
  ["plain arrays", () => checkedWeights([new Float32Array(12) as never], parameters), /got a Float32Array in place/],
  ["a misspelt scale", () => tensor(new Float32Array(4), [4], { scal: 2 } as never), /tensor has no option "scal"/],
  ["a tensor", () => oneHot(tensor(new Uint8Array(4), [4]) as never, 3), /oneHot: labels must be an array/],
  ["no classes", () => oneHot([0, 1], undefined as never), /oneHot: classes must be a whole number/],
  ["no kernel size", () => conv2d({ filters: 3 } as never), /kernelSize must be a whole number/],
];

it.each(wrong)("says what is wrong with %s", (_, call, message) => {
  expect(failure(call).message).toMatch(message);
});
