import { expect, it } from "vitest";
import type { Rewrite } from "../../src/graph/op.ts";
import { adam, dense } from "../../src/index.ts";
import type { Network } from "../../src/network/network.ts";
import { trainingProgram } from "../../src/program/programs.ts";
import { networkOf } from "../support/building.ts";
import { withOps } from "../support/ops.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";

function plan(network: Network, adapter: "software" | "gpu"): void {
  const training = { measures: measuresOf(network), optimizer: adam() };
  trainingProgram({ network, capacity: 32, columns: inputsOf(network), adapter, choices: {}, ...training });
}

function stack(layers: number): Network {
  const activation = (i: number) => (i === layers - 1 ? "softmax" : "relu");
  const all = Array.from({ length: layers }, (_, i) =>
    dense({ units: 2, activation: activation(i), ...(i === 0 && { inputShape: [2] }) }),
  );
  return networkOf(all);
}

/** Milliseconds of processor time that planning takes, the lesser of two times: others use the machine as well. */
function planning(layers: number, adapter: "software" | "gpu"): number {
  const network = stack(layers);
  const times = [1, 2].map(() => {
    const before = process.cpuUsage();
    plan(network, adapter);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...times);
}

it.each(["software", "gpu"] as const)(
  "a plan for %s takes time in proportion to the layers",
  (adapter) => {
    planning(50, adapter);
    const [short, middle, long] = [50, 100, 400].map((layers) => planning(layers, adapter)) as [number, number, number];
    expect(middle).toBeLessThan(4 * short);
    expect(long).toBeLessThan(16 * short);
  },
  120_000,
);

it("four times the layers take about four times the calls of rewrites, each at nodes of its op", () => {
  const calls = (layers: number) => {
    let count = 0;
    const network = stack(layers);
    const counted = (rule: Rewrite): Rewrite => ({
      ...rule,
      apply: (edit, node) => {
        count++;
        expect(node.op).toBe(rule.op);
        return rule.apply(edit, node);
      },
    });
    withOps(
      ({ rewrites }) => (rewrites ? { rewrites: rewrites.map(counted) } : {}),
      () => plan(network, "software"),
    );
    expect(count).toBeGreaterThan(layers);
    return count;
  };
  expect(calls(40)).toBeLessThan(5 * calls(10));
});
