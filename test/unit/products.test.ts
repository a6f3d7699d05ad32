import { describe, expect, it } from "vitest";
import { Runtime } from "../../src/gpu/runtime.ts";
import type { Tile } from "../../src/graph/tile.ts";
import { dense, sequential, sgd, sharedProducts, tuner } from "../../src/index.ts";
import { checkCompileOptions } from "../../src/model/compile-options.ts";
import { lossNamed } from "../../src/model/losses.ts";
import { evaluationProgram, predictionProgram, trainingProgram } from "../../src/model/programs.ts";
import { Build, failure, networkOf } from "./building.ts";

const settings = { loss: "categoricalCrossentropy", optimizer: sgd() } as const;

describe("the products that multiply through workgroup memory", () => {
  const tile: Tile = { blocksM: 1, blocksN: 1, workgroupM: 4, workgroupN: 4, slices: 1, shared: true };
  const layers = () => [dense({ units: 8, inputShape: [8] }), dense({ units: 4, activation: "softmax" })];
  const choices = { dense: tile };

  it("are missed by name, and what to import is told, where a tile asks for them", () => {
    const build = new Build();
    build.want(...build.add("matmul", [build.input("a", [4, 4]), build.input("b", [4, 4])]));
    const { code, message } = failure(() => build.lower({ choices: { matmul: tile }, products: [] }));
    expect(code).toBe("value");
    for (const text of ['"matmul"', "compile({ products: [sharedProducts] })", '"shared":true'])
      expect(message).toContain(text);
  });

  it("are missed by compile before there is a model", async () => {
    const model = sequential(layers());
    const runtime = Object.create(Runtime.prototype) as Runtime;
    const compiling = model.compile({ ...settings, runtime, choices });
    await expect(compiling).rejects.toThrow('the tile of "dense" is shared');
    await expect(compiling).rejects.toThrow("sharedProducts");
  });

  it("are taken from compile's options, and from its tuner", () => {
    expect(checkCompileOptions({ ...settings, choices }).products).toEqual([]);
    expect(checkCompileOptions({ ...settings, choices, products: [sharedProducts] }).products).toEqual([
      sharedProducts,
    ]);
    expect(checkCompileOptions({ ...settings, tune: tuner() }).products).toEqual([sharedProducts]);
    expect(failure(() => checkCompileOptions({ ...settings, products: "shared" as never })).message).toContain(
      "products",
    );
  });

  it.each(["training", "evaluation", "prediction"])("are what a model's %s multiplies by", (name) => {
    const network = networkOf(layers());
    const data = { sampleShape: [8], sampleDtype: "f32", scale: 1 } as const;
    const options = { network, capacity: 4, data, adapter: "gpu", choices, products: [sharedProducts] } as const;
    const loss = lossNamed("categoricalCrossentropy");
    const program = {
      training: () => trainingProgram({ ...options, loss, optimizer: sgd() }),
      evaluation: () => evaluationProgram({ ...options, loss }),
      prediction: () => predictionProgram(options),
    }[name]!();
    const step = program.plan.steps.find(({ node }) => node.includes("dense"));
    expect(step!.shader.code).toContain("var<workgroup>");
    expect(program.plan.choices.dense).toEqual(tile);
  });
});
