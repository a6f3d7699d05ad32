// The parts of `npm run bench` that need no browser: its options, its statistics and how it plans groups.

import { describe, expect, it } from "vitest";
import { groupOf, isSlow } from "../../bench/measure.ts";
import { HELP, parseOptions } from "../../bench/options.ts";
import { type Computed, disagreement, median, ratiosOf, spreadOf } from "../../bench/statistics.ts";
import { SYSTEM_NAMES } from "../../bench/systems/system.ts";
import { CliError } from "../../cli/errors.ts";

describe("the options of npm run bench", () => {
  it("measure everything by default, and all but the slowest with --quick", () => {
    expect(parseOptions([])).toEqual({
      help: false,
      quick: false,
      fresh: false,
      systems: SYSTEM_NAMES,
      network: "article",
      markdown: false,
      json: undefined,
    });
    const { quick, systems } = parseOptions(["--quick"]);
    expect(quick).toBe(true);
    expect(systems).toEqual(SYSTEM_NAMES.filter((name) => name !== "tfjs-cpu"));
  });

  it("take systems in any order, in one list or several, each once", () => {
    const args = ["--quick", "--only", "tfjs-cpu,featuremap", "--only=jax-js-wasm", "--only", "featuremap"];
    expect(parseOptions(args).systems).toEqual(["featuremap", "tfjs-cpu", "jax-js-wasm"]);
  });

  it("leave borch out where layers do not lie in a row", () => {
    const names = SYSTEM_NAMES.filter((name) => name !== "borch-webgpu");
    expect(parseOptions(["--network", "resnet"]).systems).toEqual(names);
    expect(parseOptions(["--network", "second"]).systems).toContain("borch-webgpu");
  });

  it("are all in the help", () => {
    for (const name of ["quick", "only", "network", "markdown", "json", "fresh", "help"])
      expect(HELP).toContain(`--${name} `);
    for (const name of SYSTEM_NAMES) expect(HELP).toContain(name);
  });

  it.each([
    [["--only", "torch"], "--only takes featuremap"],
    [["--network", "third"], "--network takes article or second or resnet or mobilenet or resnet18"],
    [
      ["--network", "mobilenet", "--only", "borch-webgpu"],
      "--only: borch-webgpu is not measured on the network mobilenet",
    ],
    [["--json", "out.txt"], "--json takes a file name that ends in .json"],
    [["--json", "/nowhere/at/all/out.json"], "there is no folder"],
    [["--fast"], "--fast"],
    [["featuremap"], "featuremap"],
  ])("%j is refused in one line, with exit status 2", (args, words) => {
    const error = thrownBy(() => parseOptions(args));
    expect(error).toBeInstanceOf(CliError);
    expect((error as CliError).exitCode).toBe(2);
    expect((error as CliError).message).toContain(words);
    expect((error as CliError).message).not.toContain("\n");
  });
});

describe("statistics", () => {
  it("take the middle, or the mean of the two in the middle", () => {
    expect(median([30, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 30])).toBe(3);
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3, samples: [3, 1, 2] });
    expect(spreadOf([])).toBeUndefined();
  });

  it("give ratios of medians, theirs to ours, and null for what was not measured", () => {
    const stepMs = { featuremap: [100, 90, 500], "tfjs-webgl": [600, 400], "tfjs-cpu": [9000] };
    expect(ratiosOf(stepMs)).toEqual({
      "tfjs-webgpu": null,
      "tfjs-webgl": 5,
      "jax-js-webgpu": null,
      "jax-js-wasm": null,
      "borch-webgpu": null,
    });
    expect(ratiosOf({ "tfjs-webgl": [1] })["tfjs-webgl"]).toBeNull();
  });
});

describe("disagreement", () => {
  const ours: Computed = { losses: [2.3, 2.2, 2.1], probabilities: [0.5, 0.5] };

  it("is none where all systems compute the same within a thousandth", () => {
    const near = { losses: [2.3005, 2.2, 2.1], probabilities: [0.5001, 0.4999] };
    expect(disagreement([["featuremap", ours]])).toBeUndefined();
    expect(
      disagreement([
        ["featuremap", ours],
        ["tfjs-webgl", near],
      ]),
    ).toBeUndefined();
  });

  it.each([
    ["a loss", { ...ours, losses: [2.3, 2.2, 2.102] }, "losses"],
    ["NaN", { ...ours, losses: [2.3, Number.NaN, 2.1] }, "losses"],
    ["a missing loss", { ...ours, losses: [2.3, 2.2] }, "losses"],
    ["a probability", { ...ours, probabilities: [0.502, 0.498] }, "probabilities"],
  ])("is said of %s, with both systems' figures", (_, other, word) => {
    const text = disagreement([
      ["featuremap", ours],
      ["jax-js-wasm", other],
    ]);
    expect(text).toContain(word);
    expect(text).toContain("jax-js-wasm");
  });
});

describe("groupOf", () => {
  it("fills the time with one step, several, or all batches several times over", () => {
    expect(groupOf(20_000, 8000)).toEqual({ first: 0, steps: 1, epochs: 1 });
    expect(groupOf(660, 8000)).toEqual({ first: 0, steps: 12, epochs: 1 });
    expect(groupOf(5, 8000)).toEqual({ first: 0, steps: 16, epochs: 64 });
    expect(groupOf(100, 3200)).toEqual({ first: 0, steps: 16, epochs: 2 });
  });
});

describe("isSlow", () => {
  it("names the peers that a quick run without a GPU measures last", () => {
    expect(SYSTEM_NAMES.filter(isSlow)).toEqual(["tfjs-webgpu", "tfjs-cpu", "borch-webgpu"]);
  });
});

function thrownBy(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}
