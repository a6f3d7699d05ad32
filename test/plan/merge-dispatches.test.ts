import { describe, expect, it } from "vitest";
import type { TensorId } from "../../src/graph/tensor.ts";
import {
  DEFAULT_LIMITS,
  type MergeLimits,
  mergeIndependent,
  type NodeDispatch,
} from "../../src/plan/merge-dispatches.ts";
import { mergePartOf, mergeParts } from "../../src/wgsl/merge-kernels.ts";
import { specialize } from "../../src/wgsl/specialize.ts";
import { articleLayers } from "../support/models.ts";
import { MERGE_MOST, recordedPrograms } from "../support/recording.ts";

const same = (id: TensorId) => id;

/** A dispatch of a shader that reads and writes one float of each tensor. */
function call(
  node: string,
  uses: { reads?: TensorId[]; writes?: TensorId[] },
  { size = "64", body = "", head = "", parameters = "@builtin(local_invocation_index) lane: u32" } = {},
): NodeDispatch {
  const { reads = [], writes = [] } = uses;
  const declared = [...reads.map((id) => ["read", id]), ...writes.map((id) => ["read_write", id])];
  const code = [
    head,
    ...declared.map(([mode, id]) => `@group(0) @binding(0) var<storage, ${mode}> t${id}: array<f32>;`),
    `@compute @workgroup_size(${size})`,
    `fn ${node}(${parameters}) {`,
    body,
    ...reads.map((id) => `  _ = t${id}[0];`),
    ...writes.map((id) => `  t${id}[0] = 1.0f;`),
    "}",
  ].join("\n");
  const bind = Object.fromEntries(declared.map(([, id]) => [`t${id}`, id as TensorId]));
  return { node, kernel: node, shader: specialize([{ code }], {}), bind, workgroups: [2, 1, 1], isShort: false };
}

const groups = (calls: readonly NodeDispatch[], limits: MergeLimits = DEFAULT_LIMITS, storage = same) =>
  mergeIndependent(calls, storage, limits).map(({ node }) => node);

describe("mergeIndependent", () => {
  it("merges what shares nothing but what it reads", () => {
    expect(groups([call("a", { reads: [1], writes: [2] }), call("b", { reads: [1], writes: [3] })])).toEqual(["a + b"]);
  });

  it.each([
    ["reads what another wrote", { writes: [2] }, { reads: [2], writes: [3] }],
    ["writes what another reads, as an update in place does", { reads: [2], writes: [3] }, { writes: [2] }],
    ["writes what another writes", { writes: [2] }, { writes: [2] }],
  ])("keeps apart and in order what %s", (_, first, second) => {
    expect(groups([call("a", first), call("b", second)])).toEqual(["a", "b"]);
  });

  it("sees views as the tensor that they show", () => {
    const calls = [call("a", { writes: [2] }), call("b", { reads: [7], writes: [3] })];
    expect(groups(calls, DEFAULT_LIMITS, (id) => (id === 7 ? 2 : id))).toEqual(["a", "b"]);
  });

  it("moves a dispatch past those that do not concern it, and past no other", () => {
    const calls = [
      call("a", { writes: [1] }),
      call("b", { reads: [1], writes: [2] }),
      call("c", { reads: [2], writes: [3] }),
      call("free", { writes: [4] }),
      call("d", { reads: [1], writes: [5] }),
      call("e", { reads: [2, 5], writes: [6] }),
    ];
    expect(groups(calls)).toEqual(["a + free", "b + d", "c + e"]);
  });

  it("keeps to the storage buffers of a shader, each counted once", () => {
    const calls = [call("a", { reads: [1, 2, 3, 4], writes: [5] }), call("b", { reads: [1, 2, 6], writes: [7] })];
    const limits = (most: number) => ({ ...MERGE_MOST, maxStorageBuffersPerShaderStage: most });
    expect(groups(calls, limits(7))).toEqual(["a + b"]);
    expect(groups(calls, limits(6))).toEqual(["a", "b"]);
    expect(
      groups([call("a", { reads: [1, 2, 3, 4], writes: [5] }), call("b", { reads: [6, 7], writes: [8] })]),
    ).toEqual(["a + b"]);
    expect(
      groups([call("a", { reads: [1, 2, 3, 4], writes: [5] }), call("b", { reads: [6, 7, 9], writes: [8] })]),
    ).toEqual(["a", "b"]);
  });

  it.each([
    ["array<vec4f, SIDE * 4>", 64 * 16 * 2],
    ["array<array<f32, 3>, SIDE>", 16 * 3 * 4 * 2],
    ["array<vec3<u32>, SIDE>", 16 * 16 * 2],
    ["array<mat4x4f, 2>", 2 * 64 * 2],
    ["array<vec2h, 8>", 8 * 4 * 2],
    ["array<Four, 8>", 8 * 16 * 2],
  ])("keeps to the workgroup memory: two of %s", (type, bytes) => {
    const head = `const SIDE: u32 = 16u;\nalias Four = vec4f;\nvar<workgroup> tile: ${type};`;
    const own = { head, body: "  _ = &tile;" };
    const calls = [call("a", { writes: [1] }, own), call("b", { writes: [2] }, own)];
    const limits = (most: number) => ({ ...MERGE_MOST, maxComputeWorkgroupStorageSize: most });
    expect(groups(calls, limits(bytes))).toEqual(["a + b"]);
    expect(groups(calls, limits(bytes - 1))).toEqual(["a", "b"]);
  });

  it("leaves alone what has workgroup memory of a type that it does not know", () => {
    const head = "struct Pair { a: f32, b: f32 }\nvar<workgroup> tile: array<Pair, 4>;";
    const odd = call("a", { writes: [1] }, { head, body: "  _ = &tile;" });
    expect(groups([odd, call("b", { writes: [2] })])).toEqual(["a", "b"]);
  });

  it("counts no workgroup memory that a part does not use", () => {
    const head = "var<workgroup> tile: array<vec4f, 1024>;";
    const [a, b] = [call("a", { writes: [1] }, { head }), call("b", { writes: [2] }, { head })];
    expect(groups([a, b], { ...MERGE_MOST, maxComputeWorkgroupStorageSize: 0 })).toEqual(["a + b"]);
  });

  it("lets invocations be idle only in parts without barriers", () => {
    const body = "workgroupBarrier();";
    const small = (options = {}) => call("a", { writes: [1] }, { size: "4, 4", ...options });
    const large = (options = {}) => call("b", { writes: [2] }, options);
    expect(groups([small(), large({ body })])).toEqual(["a + b"]);
    expect(groups([small({ body }), large()])).toEqual(["a", "b"]);
    expect(groups([large({ body }), call("c", { writes: [3] }, { size: "8, 8", body })])).toEqual(["b + c"]);
  });

  it("leaves alone an entry point whose arguments it cannot make", () => {
    const head = "struct In { @builtin(local_invocation_index) lane: u32 }";
    const odd = call("a", { writes: [1] }, { head, parameters: "in: In" });
    expect(groups([odd, call("b", { writes: [2] })])).toEqual(["a", "b"]);
    expect(mergeIndependent([odd], same, DEFAULT_LIMITS)[0]).toBe(odd);
  });

  it.each(
    [DEFAULT_LIMITS, MERGE_MOST].flatMap((limits) =>
      recordedPrograms(articleLayers, "gpu", limits).map((made) => ({
        ...made,
        name: `${made.name}, ${limits.maxStorageBuffersPerShaderStage}`,
      })),
    ),
  )("runs every dispatch once, on what it would have read: $name", ({ calls, dispatches, storage }) => {
    const writes = new Map(calls.map((each) => [each.node + each.kernel, writtenBy(each, storage)]));
    const trace = (list: readonly NodeDispatch[]) => {
      const writer = new Map<TensorId, string>();
      return list.map((dispatch) => {
        const parts = partsOf(dispatch);
        const found = new Map(Object.values(dispatch.bind).map((id) => [storage(id), writer.get(storage(id))]));
        for (const id of writtenBy(dispatch, storage)) {
          writer.set(id, parts.find((part) => writes.get(part)!.includes(id))!);
        }
        return { parts, found };
      });
    };
    const alone = new Map(trace(calls).map(({ parts: [part], found }) => [part!, found]));
    const together = trace(dispatches);
    for (const { parts, found } of together) {
      expect(found).toEqual(new Map(parts.flatMap((part) => [...alone.get(part)!])));
    }
    expect(together.flatMap(({ parts }) => parts).sort()).toEqual([...alone.keys()].sort());
  });
});

const partsOf = ({ node, kernel }: NodeDispatch) => {
  const kernels = kernel.split(" + ");
  return node.split(" + ").map((name, i) => name + kernels[i]);
};

const writtenBy = ({ shader, bind }: NodeDispatch, storage: (id: TensorId) => TensorId) =>
  shader.bindings.filter(({ access }) => access === "write").map(({ name }) => storage(bind[name]!));

/** The text of a merged shader of these, in rows of at most so many workgroups. */
const textOf = (calls: readonly NodeDispatch[], maxGroups = 65535) =>
  mergeParts(
    calls.map((each) => mergePartOf(each)!),
    maxGroups,
  );

describe("a merged shader", () => {
  const head = `enable f16;
const SIZE: u32 = 2u; // SIZE of t1
struct Row {
  SIZE: u32, // not the constant SIZE
  at: vec4f,
}
alias Column = u32;
var<private> kept: f32;
fn row(t1: u32, SIZE: u32) -> Row {
  return Row(SIZE, vec4f(f32(t1)));
}`;
  const body = "  let r = row(SIZE, Column(3u)); kept = r.at.x + f32(r.SIZE);";
  const two = textOf([
    call("a", { reads: [1], writes: [2] }, { head, body }),
    call("b", { reads: [1], writes: [3] }, { head, body, size: "8, 4" }),
  ]);
  const { code } = two.shader;

  it("names each part's declarations apart, but not members", () => {
    expect(code.match(/^enable f16;$/gm)).toHaveLength(1);
    expect(code.startsWith("enable f16;")).toBe(true);
    for (const part of ["part1", "part2"]) {
      expect(code).toContain(`const ${part}_SIZE: u32 = 2u;`);
      expect(code).toContain(`alias ${part}_Column = u32;`);
      expect(code).toContain(
        `let r = ${part}_row(${part}_SIZE, ${part}_Column(3u)); ${part}_kept = r.at.x + f32(r.SIZE);`,
      );
    }
  });

  it("declares a struct once that its parts declare alike", () => {
    expect(code).toContain("struct part1_Row {\n  SIZE: u32, \n  at: vec4f,");
    expect(code.match(/\bstruct \w+/g)).toEqual(["struct part1_Row"]);
    expect(code).toContain("fn part2_row(part1_t1: u32, part2_SIZE: u32) -> part1_Row {");
  });

  /** Two kernels whose state is a struct of their own text, bound to one buffer. */
  const sharing = (...structs: string[]) => {
    const parts = structs.map((struct, i) => {
      const state = "@group(0) @binding(0) var<storage, read> state: State;";
      const made = call(`k${i}`, { writes: [i + 2] }, { head: `${struct}\n${state}`, body: "let s = state; _ = s.a;" });
      return { ...made, bind: { ...made.bind, state: 1 } };
    });
    return textOf(parts);
  };

  it("binds a struct's buffer once where its parts declare the struct alike, whatever the blanks", () => {
    const { shader, bind } = sharing("struct State { a: u32, b: f32 }", "struct State{ a:u32,\n  b: f32 }");
    expect(bind).toEqual({ part1_state: 1, part1_t2: 2, part2_t3: 3 });
    expect(shader.code.match(/part1_State\b/g)).toHaveLength(2);
    expect(shader.code).not.toContain("part2_State");
  });

  it.each([
    ["another field", "struct State { a: u32, b: f32 }", "struct State { a: u32, b: u32 }"],
    ["another alias", "alias N = u32;\nstruct State { a: N }", "alias N = f32;\nstruct State { a: N }"],
    [
      "another size",
      "const N: u32 = 1u;\nstruct State { a: array<u32, N> }",
      "const N: u32 = 2u;\nstruct State { a: array<u32, N> }",
    ],
  ])("binds it twice where the structs have %s", (_, one, other) => {
    const { shader, bind } = sharing(one, other);
    expect(bind).toEqual({ part1_state: 1, part1_t2: 2, part2_state: 1, part2_t3: 3 });
    for (const part of ["part1", "part2"]) {
      expect(shader.code).toContain(`struct ${part}_State`);
      expect(shader.code).toContain(`${part}_state: ${part}_State;`);
    }
  });

  it("binds a buffer once that two parts read", () => {
    expect(two.shader.bindings).toEqual([
      { name: "part1_t1", access: "read" },
      { name: "part1_t2", access: "write" },
      { name: "part2_t3", access: "write" },
    ]);
    expect(two.bind).toEqual({ part1_t1: 1, part1_t2: 2, part2_t3: 3 });
    expect(
      [...code.matchAll(/@binding\((\d)\) var<storage, (\w+)> (\w+): array<f32>;/g)].map((m) => m.slice(1)),
    ).toEqual([
      ["0", "read", "part1_t1"],
      ["1", "read_write", "part1_t2"],
      ["2", "read_write", "part2_t3"],
    ]);
    expect(code.match(/_ = part1_t1\[0\];/g)).toHaveLength(2);
  });

  it("binds it twice where they see it as different types", () => {
    const other = call("b", { reads: [1] });
    const code = other.shader.code.replace("array<f32>", "array<vec4f>");
    const { shader, bind } = textOf([call("a", { reads: [1] }), { ...other, shader: { ...other.shader, code } }]);
    expect(bind).toEqual({ part1_t1: 1, part2_t1: 1 });
    expect(shader.code).toContain("var<storage, read> part2_t1: array<vec4f>;");
  });

  it("gives each part its range of workgroups, and its invocations", () => {
    expect(two.kernel).toBe("a + b");
    expect(two.workgroups).toEqual([4, 1, 1]);
    expect(two.shader).toMatchObject({ entryPoint: "a_and_b", workgroupSize: [64, 1, 1] });
    expect(code.match(/@compute/g)).toHaveLength(1);
    const ranges = (name: string) => [...code.matchAll(new RegExp(`const (\\w+)_${name}: ?u32 ?= ?(\\d+)u;`, "g"))];
    expect(ranges("FIRST").map(([, part, first]) => [part, first])).toEqual([
      ["range1", "0"],
      ["range2", "2"],
    ]);
    expect(ranges("SIZE_X").map(([, , size]) => size)).toEqual(["64", "8"]);
    expect(ranges("SIZE_Y").map(([, , size]) => size)).toEqual(["1", "4"]);
    expect(code).toMatch(/range1_run\(group, ?lane\);\s*range2_run\(group, ?lane\);\s*\}/);
    expect(code).toMatch(/;\s*part1_a\(local_invocation_index\);\s*\}/);
    expect(code).toMatch(/;\s*part2_b\(local_invocation_index\);\s*\}/);
    // Only the part with the smaller workgroups asks which lane it is.
    expect([...code.matchAll(/if ?\(lane ?< ?(\w+)/g)].map(([, size]) => size)).toEqual(["range2_SIZE_X"]);
  });

  it("lies in rows where one row does not hold it", () => {
    const many = { ...call("a", { writes: [1] }), workgroups: [3, 2, 2] as const };
    const { workgroups, shader } = textOf([many, call("b", { writes: [2] })], 5);
    expect(workgroups).toEqual([5, 3, 1]);
    expect(shader.code).toMatch(/^const ROW: ?u32 ?= ?5u;/m);
  });
});
