import { describe, expect, it } from "vitest";
import { tensorOf } from "../../src/graph/graph.ts";
import { defineOp } from "../../src/graph/op.ts";
import { byteLength, type TensorId } from "../../src/graph/tensor.ts";
import type { Tile } from "../../src/graph/tile.ts";
import { averagePooling2d, conv2d, dense, flatten, maxPooling2d } from "../../src/index.ts";
import type { Layer } from "../../src/layers/layer.ts";
import type { MergeLimits } from "../../src/plan/merge-dispatches.ts";
import { Build, failure } from "../support/building.ts";
import { articleLayers } from "../support/models.ts";
import { MERGE_MOST, MERGE_NOTHING, recordedPrograms } from "../support/recording.ts";

const SMALL: Layer[] = [
  conv2d({ filters: 6, kernelSize: 3, activation: "relu", inputShape: [12, 12, 1] }),
  maxPooling2d(),
  conv2d({ filters: 8, kernelSize: 3, padding: "same", activation: "tanh" }),
  averagePooling2d({ poolSize: 3, strides: 2 }),
  maxPooling2d({ poolSize: 2, strides: 1 }),
  flatten(),
  dense({ units: 7, activation: "sigmoid", useBias: false }),
  dense({ units: 5, activation: "softmax" }),
];

const NETWORKS: [string, () => Layer[]][] = [
  ["the article's network", articleLayers],
  ["a network of every layer", () => SMALL],
  ["one layer", () => [dense({ units: 3, activation: "softmax", inputShape: [4] })]],
];

const LIMITS: Record<string, MergeLimits | undefined> = {
  unmerged: MERGE_NOTHING,
  "8 bindings": undefined,
  "16 bindings": MERGE_MOST,
};

const CASES = NETWORKS.flatMap(([name, layers]) => [
  ...recordedPrograms(layers, "software").map((made) => ({ ...made, name: `${made.name} of ${name} on software` })),
  ...Object.entries(LIMITS).flatMap(([how, limits]) =>
    recordedPrograms(layers, "gpu", limits).map((made) => ({
      ...made,
      name: `${made.name} of ${name} on gpu, ${how}`,
    })),
  ),
]);

describe.each(CASES)("the plan of $name", ({ program, dispatches: calls }) => {
  const { plan } = program;

  it("has the ops' dispatches, merged or in their order", () => {
    expect(plan.steps.map(({ kernel }) => kernel)).toEqual(calls.map(({ kernel }) => kernel));
    expect(plan.steps.map(({ workgroups }) => workgroups)).toEqual(calls.map(({ workgroups }) => workgroups));
  });

  it("binds a buffer for each binding, and none both as read and written, or written twice, in one dispatch", () => {
    for (const { kernel, shader, buffers } of plan.steps) {
      expect(buffers).toHaveLength(shader.bindings.length);
      const written = buffers.filter((_, at) => shader.bindings[at]!.access === "write");
      const read = buffers.filter((_, at) => shader.bindings[at]!.access === "read");
      expect(new Set(written).size, kernel).toBe(written.length);
      expect(
        written.filter((buffer) => read.includes(buffer)),
        kernel,
      ).toEqual([]);
    }
  });

  it("reads in each dispatch what the graph's tensor holds, and nothing that came later", () => {
    // Which tensor each buffer holds, in the words of the ops: views are of one size with what they show.
    const holds = new Map<number, TensorId>();
    const written = new Set<number>();
    plan.steps.forEach(({ kernel, shader, buffers }, step) => {
      shader.bindings.forEach(({ name, access }, at) => {
        const [buffer, tensor] = [buffers[at]!, calls[step]!.bind[name]!];
        if (plan.buffers[buffer]!.bound !== undefined) return;
        const where = `step ${step}, ${kernel}, ${name}`;
        if (access === "write") {
          holds.set(buffer, tensor);
          written.add(buffer);
          return;
        }
        expect(written.has(buffer), `${where}: written before it is read`).toBe(true);
        expect(plan.bufferOf.get(tensor), where).toBe(buffer);
        const held = holds.get(buffer)!;
        if (held !== tensor) expect(plan.bufferOf.get(held), `${where}: a view of what is there`).toBe(buffer);
      });
    });
  });

  it("gives each of its scratch tensors its room, and lets none overwrite a live one", () => {
    const spans = new Map<TensorId, { buffer: number; first: number; last: number }>();
    plan.steps.forEach(({ shader, buffers }, step) => {
      shader.bindings.forEach(({ name }, at) => {
        const buffer = buffers[at]!;
        if (plan.buffers[buffer]!.bound !== undefined) return;
        const tensor = calls[step]!.bind[name]!;
        const span = spans.get(tensor);
        spans.set(tensor, { buffer, first: span?.first ?? step, last: step });
      });
    });
    // Only a view and what it shows may meet in a buffer: then the one that begins later begins with a read.
    const all = [...spans];
    for (const [i, [tensor, a]] of all.entries()) {
      for (const [other, b] of all.slice(i + 1)) {
        if (a.buffer !== b.buffer || a.last < b.first || b.last < a.first) continue;
        const begins = plan.steps[b.first]!.shader.bindings.find(({ name }) => calls[b.first]!.bind[name] === other)!;
        expect(begins.access, `tensors ${tensor} and ${other} in buffer ${a.buffer}`).toBe("read");
      }
    }
  });

  it("keeps the gradients that were asked for until its end", () => {
    for (const id of program.gradients.values()) {
      const buffer = plan.bufferOf.get(id);
      if (buffer === undefined) continue;
      const writes = plan.steps.flatMap(({ shader, buffers }, step) =>
        shader.bindings.flatMap(({ name, access }, at) =>
          buffers[at] === buffer && access === "write" ? [{ step, tensor: calls[step]!.bind[name] }] : [],
        ),
      );
      expect(writes.at(-1)?.tensor).toBe(id);
    }
  });

  it("asks for a buffer for every tensor that the caller brings, once", () => {
    const bound = plan.buffers.flatMap(({ bound }) => bound ?? []);
    expect(new Set(bound).size).toBe(bound.length);
    expect(bound.sort()).toEqual([...program.variables.values(), ...program.ports.values()].sort());
  });
});

/** a -> b -> c, each of another op, with a view in between. */
function withViews() {
  const build = new Build();
  const x = build.input("x", [4, 6], "f32", "data");
  const { y } = build.add("softmax", { x }, {}, "y");
  const { y: flat } = build.add("reshape", { x: y! }, { shape: [24] }, "flat");
  const { y: square } = build.add("reshape", { x: flat! }, { shape: [2, 12] }, "square");
  const { y: z } = build.add("softmax", { x: square! }, {}, "z");
  return { build, x, y: y!, flat: flat!, square: square!, z: z! };
}

describe("views", () => {
  it("cost no dispatch and live in the buffer of what they show", () => {
    const { build, y, flat, square, z } = withViews();
    const plan = build.want(z).lower();
    expect(plan.steps.map(({ node }) => node)).toEqual(["y", "z"]);
    const buffer = plan.bufferOf.get(y);
    expect(buffer).toBeDefined();
    expect([flat, square].map((id) => plan.bufferOf.get(id))).toEqual([buffer, buffer]);
    expect(plan.steps[1]!.buffers[0]).toBe(buffer);
  });

  it("of what the caller brings are the caller's buffer", () => {
    const build = new Build();
    const x = build.input("x", [4, 6], "f32", "data");
    const { y: flat } = build.add("reshape", { x }, { shape: [24] });
    const { y } = build.add("softmax", { x: flat! });
    const plan = build.want(y!).lower();
    expect(plan.buffers[plan.bufferOf.get(flat!)!]!.bound).toBe(x);
  });

  it("keep what they show alive as long as they are read", () => {
    const build = new Build();
    const x = build.input("x", [4, 6]);
    const { y: a } = build.add("softmax", { x }, {}, "a");
    const { y: view } = build.add("reshape", { x: a! }, { shape: [24] }, "view");
    const { y: b } = build.add("softmax", { x: a! }, {}, "b");
    const { y: c } = build.add("softmax", { x: b! }, {}, "c");
    const { y: d } = build.add("softmax", { x: c! }, {}, "d");
    const { y: flat } = build.add("reshape", { x: d! }, { shape: [24] }, "flat");
    const { c: e } = build.add("add", { a: flat!, b: view! }, {}, "e");
    const plan = build.want(e!).lower();
    const of = (id: TensorId) => plan.bufferOf.get(id);
    for (const id of [b!, c!, d!, e!]) expect(of(id)).not.toBe(of(a!));
    expect(of(b!)).toBe(of(d!));
  });

  it("that are results keep what they show until the end", () => {
    const { build, y, flat } = withViews();
    const { y: w } = build.add("softmax", { x: build.graph.nodes.at(-1)!.outputs.y! }, {}, "w");
    const { y: v } = build.add("softmax", { x: w! }, {}, "v");
    const plan = build.want(flat, v!).lower();
    const last = plan.bufferOf.get(flat);
    expect(plan.bufferOf.get(y)).toBe(last);
    expect(plan.steps.slice(1).map(({ buffers }) => buffers[1])).not.toContain(last);
  });
});

describe("results", () => {
  const chain = (wanted: readonly number[]) => {
    const build = new Build();
    const ids = [build.input("x", [4, 6])];
    for (let i = 0; i < 5; i++) ids.push(build.add("softmax", { x: ids.at(-1)! }, {}, `s${i}`).y!);
    return build.want(...wanted.map((i) => ids[i]!)).lower();
  };

  it("are kept until the end; what is not asked for shares", () => {
    expect(chain([5]).buffers.filter(({ bound }) => bound === undefined)).toHaveLength(2);
    const plan = chain([1, 5]);
    const writes = plan.steps.map(({ buffers }) => buffers[1]);
    expect(writes.lastIndexOf(writes[0])).toBe(0);
    expect(plan.buffers.filter(({ bound }) => bound === undefined)).toHaveLength(3);
  });
});

describe("lower", () => {
  it("makes the same plan each time", () => {
    const [first, again] = [0, 1].map(() => recordedPrograms(() => SMALL, "software")[0]!.program.plan);
    expect(JSON.stringify(first!.steps)).toBe(JSON.stringify(again!.steps));
    expect(first!.buffers).toEqual(again!.buffers);
  });

  it("makes buffers as large as their largest tensor", () => {
    const { build, y, z } = withViews();
    const plan = build.want(z).lower();
    for (const id of [y, z]) {
      const { bytes } = plan.buffers[plan.bufferOf.get(id)!]!;
      expect(bytes).toBe(byteLength(tensorOf(build.graph, id)));
    }
  });

  it("writes down the tile of each product, and takes those that it is given", () => {
    const tile: Tile = { blocksM: 2, blocksN: 1, workgroupM: 4, workgroupN: 4, slices: 1 };
    const build = () => {
      const made = new Build();
      const [x, v, w] = [made.input("x", [64, 8]), made.input("v", [8, 32]), made.input("w", [32, 8])];
      const { c: h } = made.add("matmul", { a: x, b: v }, {}, "one");
      const { c: y } = made.add("matmul", { a: h!, b: w }, {}, "two");
      return made.want(made.add("softmax", { x: y! }).y!);
    };
    const shipped = build().lower();
    expect(Object.keys(shipped.choices)).toEqual(["one", "two"]);
    const plan = build().lower({ choices: { one: tile } });
    expect(plan.choices).toEqual({ one: tile, two: shipped.choices.two });
    expect(plan.steps[0]!.shader.code).toMatch(/const BLOCKS_M: ?u32 ?= ?2u;/);
    expect(plan.steps[0]!.workgroups).toEqual([2, 2, 1]);
    // Given back, the choices make the same plan.
    const again = build().lower({ choices: plan.choices });
    expect(JSON.stringify(again.steps)).toBe(JSON.stringify(plan.steps));
  });

  it("names a node whose op has no kernels", () => {
    const abstract = defineOp({ name: "abstract", inputs: ["x"], outputs: ["y"], infer: ({ x }) => ({ y: x }) });
    const build = new Build();
    build.add(abstract, { x: build.input("x", [3]) }, {}, "node_7");
    const { code, message } = failure(() => build.lower());
    expect(code).toBe("value");
    for (const word of ['"node_7"', '"abstract"']) expect(message).toContain(word);
  });
});
