import { describe, expect, it } from "vitest";
import type { Tile } from "../../src/graph/tile.ts";
import { dense, sgd } from "../../src/index.ts";
import { evaluationProgram, predictionProgram, trainingProgram } from "../../src/program/programs.ts";
import { Build, failure, networkOf } from "../support/building.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";

describe("the products that multiply through workgroup memory", () => {
  const tile: Tile = { blocksM: 1, blocksN: 1, workgroupM: 4, workgroupN: 4, slices: 1, shared: true };
  const layers = () => [dense({ units: 8, inputShape: [8] }), dense({ units: 4, activation: "softmax" })];
  const choices = { dense: tile };
  const lowered = (changes: Partial<Tile>) => {
    const build = new Build();
    build.want(build.add("matmul", { a: build.input("a", [4, 4]), b: build.input("b", [4, 4]) }).c!);
    return build.lower({ choices: { matmul: { ...tile, ...changes } } });
  };

  it.each(["training", "evaluation", "prediction"])("are what a model's %s multiplies by", (name) => {
    const network = networkOf(layers());
    const options = { network, capacity: 4, columns: inputsOf(network), adapter: "gpu", choices } as const;
    const measures = measuresOf(network);
    const program = {
      training: () => trainingProgram({ ...options, measures, optimizer: sgd() }),
      evaluation: () => evaluationProgram({ ...options, measures }),
      prediction: () => predictionProgram(options),
    }[name]!();
    const step = program.plan.steps.find(({ node }) => node.includes("dense"));
    expect(step!.shader.code).toContain("var<workgroup>");
    expect(program.plan.choices.dense).toEqual(tile);
  });

  it.each<[Partial<Tile>, string]>([
    [{ workgroupK: 3 }, "workgroupK a power of two"],
    [{ workgroupK: 0.5 }, "workgroupK a power of two"],
    [{ workgroupK: 4, depth: 4 }, "depth a multiple of it, at least 2 * workgroupK"],
    [{ workgroupK: 4, depth: 10 }, "depth a multiple of it, at least 2 * workgroupK"],
    [{ depth: 0 }, "a whole depth from 1 on"],
    [{ depth: 4.5 }, "a whole depth from 1 on"],
    [{ workgroupK: 2, workgroupM: 2, workgroupN: 32 }, "workgroupN of at most 16 * blocksM"],
    [{ shared: false, workgroupK: 2 }, "wants no workgroupK and no depth"],
    [{ shared: false, depth: 8 }, "wants no workgroupK and no depth"],
  ])("are refused a tile of %o", (changes, words) => {
    const { code, message } = failure(() => lowered(changes));
    expect(code).toBe("value");
    for (const text of ['"matmul"', words, JSON.stringify({ ...tile, ...changes })]) expect(message).toContain(text);
  });

  it("have a workgroup of as many invocations as a tile has rows, columns and parts", () => {
    const { shader } = lowered({ workgroupK: 8 }).steps[0]!;
    expect(shader.workgroupSize).toEqual([4, 4, 8]);
  });
});
