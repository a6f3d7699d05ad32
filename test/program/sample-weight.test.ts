import { describe, expect, it } from "vitest";
import { rewrite } from "../../src/graph/rewrite.ts";
import type { TensorId } from "../../src/graph/tensor.ts";
import { dense, input } from "../../src/index.ts";
import { lossNamed } from "../../src/losses/losses.ts";
import { networkOf } from "../../src/network/functional.ts";
import { type PortColumn, ProgramBuilder, portKey } from "../../src/program/builder.ts";
import { Measures } from "../../src/program/measures.ts";
import * as stages from "../../src/program/stages.ts";
import { randomArray } from "../reference/random.ts";
import { expectClose, numericGradient } from "../support/compare.ts";
import { BATCH, ROWS, runNodes, sum } from "../support/float-graph.ts";
import { tolerances } from "../support/tolerances.ts";

/** One input and two outputs, of which the second has weights. */
const x = input({ shape: [3], name: "x" });
const head = (units: number) => dense({ units, activation: "softmax" })(x);
const network = networkOf([x], { left: head(3), right: head(2) });
const measures = new Measures(
  network.outputs.map(({ name }, index) => ({
    name,
    index,
    loss: lossNamed("categoricalCrossentropy"),
    weight: 1,
    metrics: [],
  })),
  network,
);
const weight: PortColumn = { role: "weight", index: 1, shape: [], dtype: "f32", scale: 1 };

function built(columns: readonly PortColumn[]): ProgramBuilder {
  const builder = new ProgramBuilder("train", { network, capacity: BATCH, columns });
  stages.gather({ shuffled: true, measures })(builder);
  stages.forward({ training: true })(builder);
  stages.losses(measures)(builder);
  return builder;
}

describe("weights of samples", () => {
  it("are one node a port, and one more multiplies the loss", () => {
    const [without, builder] = [built([]), built([weight])];
    expect(builder.graph.nodes.length - without.graph.nodes.length).toBe(2);
    const { graph, ports, rows } = builder;
    expect(graph.tensors[ports.get("weight 1")!]).toMatchObject({ name: "weights right", shape: [1], dtype: "f32" });
    expect(graph.tensors[rows.get("weight 1")!]!.shape).toEqual([BATCH]);
    const last = graph.nodes.at(-1)!;
    expect(last.op).toBe("multiply");
    expect(last.inputs.b).toBe(rows.get("weight 1"));
    expect(builder.losses[1]).toBe(last.outputs.c);
  });

  it.each([undefined, "software"] as const)("scale the gradient of each sample, on %s", (adapter) => {
    const builder = built([weight]);
    stages.gradients(measures)(builder);
    const { graph, ports, variables } = builder;
    const data = new Map<TensorId, Float64Array>();
    for (const id of variables.values())
      data.set(
        id,
        randomArray(
          graph.tensors[id]!.shape.reduce((a, b) => a * b, 1),
          id,
        ),
      );
    const give = (key: string, values: Float64Array) => data.set(ports.get(key)!, values);
    give(portKey("input"), randomArray(BATCH * 3, 100));
    give(portKey("label", 0), randomArray(BATCH * 3, 101, 0, 1));
    give(portKey("label", 1), randomArray(BATCH * 2, 102, 0, 1));
    give(portKey("weight", 1), randomArray(BATCH, 103, 0, 3));
    const forward = built([weight]).graph.nodes;
    const total = () => {
      const values = runNodes({ nodes: forward, tensors: graph.tensors }, data);
      return builder.losses.reduce((all, id) => all + sum(values.get(id)!.subarray(0, ROWS)) / ROWS, 0);
    };
    graph.results.push(...builder.losses, ...builder.gradients.values());
    const { nodes } = adapter ? rewrite(graph, { adapter }).graph : graph;
    const values = runNodes({ nodes, tensors: graph.tensors }, data);
    expect(builder.gradients.size).toBe(4);
    for (const [path, id] of builder.gradients) {
      const numeric = numericGradient(total, data.get(variables.get(path)!)!);
      expectClose(values.get(id)!, numeric, tolerances.finiteDifference, `the gradient of ${path}`);
    }
  });
});
