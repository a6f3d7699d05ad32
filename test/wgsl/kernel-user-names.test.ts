import { describe, expect, it } from "vitest";
import type { AdapterClass } from "../../src/graph/tile.ts";
import { conv2d, dense, flatten, sgd } from "../../src/index.ts";
import { trainingProgram } from "../../src/program/programs.ts";
import { defineKernel, dispatch } from "../../src/wgsl/kernel.ts";
import { networkOf } from "../support/building.ts";
import { PROTOTYPE_NAMES } from "../support/hostile.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";

/** Names of a user's that every object, or its prototype, has a meaning for. */

function programOf(name: string, adapter: AdapterClass, choices: object) {
  const layers = [
    conv2d({ filters: 16, kernelSize: 3, inputShape: [14, 14, 16], name }),
    flatten(),
    dense({ units: 4, activation: "softmax", name: "10" }),
  ];
  const network = networkOf(layers);
  return trainingProgram({
    network,
    capacity: 8,
    adapter,
    optimizer: sgd(),
    choices: choices as never,
    columns: inputsOf(network),
    measures: measuresOf(network),
  });
}

describe.each(["software", "gpu"] as const)("on %s", (adapter) => {
  /** With the name taken out, all is as with any other. */
  const plain = (text: string, name: string) => text.replaceAll(name, "layer").replace(/ +/g, " ");

  it.each(PROTOTYPE_NAMES)("a layer named %s has choices as any other", (name) => {
    const plan = programOf(name, adapter, {}).plan;
    const usual = programOf("usual", adapter, {}).plan;
    expect(plain(String(plan), name)).toBe(plain(String(usual), "usual"));
    const own = Object.keys(plan.choices).filter((node) => node.split("/")[0] === name);
    expect(own.length).toBeGreaterThan(0);
    expect(own.map((node) => node.replace(name, "usual"))).toEqual(
      Object.keys(usual.choices).filter((node) => node.startsWith("usual")),
    );
    expect(String(programOf(name, adapter, plan.choices).plan)).toBe(String(plan));
    // As they come back from JSON.
    const kept = JSON.parse(JSON.stringify(plan.choices)) as object;
    expect(String(programOf(name, adapter, kept).plan)).toBe(String(plan));
    const direct = Object.fromEntries([[name, { algorithm: "direct" }]]);
    expect(programOf(name, adapter, direct).plan.choices).not.toHaveProperty([`${name}/winograd`]);
    expect(Object.getPrototypeOf(plan.choices)).toBe(Object.prototype);
  });
});

it("a kernel's buffer may be named constructor, and is asked for", () => {
  const code = `
@group(0) @binding(0) var<storage, read_write> constructor: array<u32>;
@compute @workgroup_size(1) fn one() { constructor[0] = 1u; }`;
  const kernel = defineKernel<{ constructor: "write" }>(code);
  const call = (bind: object) => dispatch(kernel, { bind: bind as never, workgroups: [1, 1, 1] });
  expect(call({ constructor: 3 }).bind).toEqual({ constructor: 3 });
  expect(() => call({})).toThrow(/binds "constructor" \(write\), got no buffer/);
});
