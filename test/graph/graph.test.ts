import { describe, expect, it } from "vitest";
import { graphEdit } from "../../src/graph/edit.ts";
import { emptyGraph, producerOf, tensorOf } from "../../src/graph/graph.ts";
import { sweepState } from "../../src/graph/step-state.ts";
import { byteLength } from "../../src/graph/tensor.ts";
import { Build } from "../support/building.ts";

describe("byteLength", () => {
  it.each([
    [{ shape: [2, 3], dtype: "f32" }, 24],
    [{ shape: [7], dtype: "u32" }, 28],
    [{ shape: [8], dtype: "u8" }, 8],
    [{ shape: [5], dtype: "u8" }, 8],
    [{ shape: [1], dtype: "u8" }, 4],
    [{ shape: [], dtype: "f32" }, 4],
  ] as const)("of %j is %i, whole words", (spec, bytes) => {
    expect(byteLength(spec)).toBe(bytes);
  });
});

describe("sweepState", () => {
  it("starts at the first sample with a whole batch", () => {
    expect([...sweepState({ step: 7, samples: 100, batch: 32 })]).toEqual([7, 0, 100, 32, 32]);
  });

  it("starts with a short batch where there are fewer samples", () => {
    expect([...sweepState({ step: 0, samples: 3, batch: 32 })]).toEqual([0, 0, 3, 3, 32]);
  });

  it("fills the state tensor", () => {
    const graph = emptyGraph();
    const { shape, dtype, role } = tensorOf(graph, graph.state);
    expect({ shape, dtype, role }).toEqual({ shape: [5], dtype: "u32", role: "state" });
  });
});

describe("a graph", () => {
  const build = new Build();
  const [x, w, b] = [build.input("x", [4, 3]), build.input("w", [3, 5]), build.input("b", [5])];
  const { y } = build.add("dense", { x, kernel: w, bias: b }, {}, "dense");
  const { c: z } = build.add("add", { a: y!, b: y! }, {}, "twice");
  build.add("sgd", { p: w, g: w, rate: b }, {}, "step");
  const { graph } = build;

  it("knows who makes and who reads a tensor", () => {
    const { edit } = graphEdit(graph, "software");
    for (const producer of [(id: number) => producerOf(graph, id), edit.producer]) {
      expect(producer(y!)?.name).toBe("dense");
      expect(producer(x)).toBeUndefined();
    }
    expect(edit.readers(w).map(({ name }) => name)).toEqual(["dense", "step"]);
    expect(edit.readers(y!).map(({ name }) => name)).toEqual(["twice"]);
    expect(edit.readers(z!)).toEqual([]);
    expect(edit.usedElsewhere(w, edit.readers(w))).toBe(false);
    expect(edit.usedElsewhere(w, edit.readers(y!))).toBe(true);
  });

  it("is plain data, but for its ops", () => {
    const { ops, ...data } = graph;
    expect(JSON.parse(JSON.stringify(data))).toEqual(data);
    expect([...ops.keys()]).toEqual(["dense", "add", "sgd"]);
  });
});
