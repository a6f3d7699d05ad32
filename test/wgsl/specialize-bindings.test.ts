import { describe, expect, it } from "vitest";
import { specialize } from "../../src/wgsl/specialize.ts";
import { failure } from "../support/building.ts";

const read = (name: string, at = 0) => `@group(0) @binding(${at}) var<storage, read> ${name}: array<f32>;`;
const write = (name: string, at = 0) => `@group(0) @binding(${at}) var<storage, read_write> ${name}: array<f32>;`;
const main = (body: string) => `@compute @workgroup_size(8, 2)\nfn main() {\n${body}\n}\n`;

const only = (...parts: string[]) => specialize([{ code: parts.join("\n") }], {});

describe("what nothing uses", () => {
  it("drops functions, and those that only they called", () => {
    const shader = only(
      "fn inner() -> f32 { return 1.0f; }",
      "fn outer() -> f32 { return inner(); }",
      "@must_use\nfn tagged() -> f32 { return 2.0f; }",
      "fn used() -> f32 { if (r) { return 1.0f; } return 2.0f; }",
      main("let a = used();"),
    );
    expect(shader.code.match(/fn \w+/g)).toEqual(["fn used", "fn main"]);
    expect(shader.code).not.toContain("must_use");
    expect(shader.code).toContain("return 2.0f; }\n");
  });

  it("drops the function that only a pruned branch called, and its buffer", () => {
    const code = [
      "const BIAS: bool = true;",
      read("x"),
      read("bias"),
      "fn load_bias(i: u32) -> f32 { return bias[i]; }",
      write("y"),
      main("if (BIAS) { y[0] = x[0] + load_bias(0u); } else { y[0] = x[0]; }"),
    ].join("\n");
    const names = (BIAS: boolean) => specialize([{ code }], { BIAS }).bindings.map(({ name }) => name);
    expect(names(true)).toEqual(["x", "bias", "y"]);
    expect(names(false)).toEqual(["x", "y"]);
    expect(specialize([{ code }], { BIAS: false }).code).not.toContain("bias");
  });

  it("drops the workgroup variable that only a pruned branch used", () => {
    const code = [
      "const PARTS: u32 = 1u;",
      "var<workgroup> sums: array<vec4f, 64u * PARTS>;",
      "  var< workgroup > sums_too: u32;",
      "fn share(lane: u32) { sums[lane] = vec4f(0.0f); workgroupBarrier(); }",
      write("y"),
      main("if (PARTS > 1u) { share(0u); }\nsums_too = 1u;\ny[0] = 1.0f;"),
    ].join("\n");
    const text = (PARTS: number) => specialize([{ code }], { PARTS }).code;
    expect(text(2)).toContain("var<workgroup> sums: array<vec4f, 64u * PARTS>;");
    expect(text(1)).not.toMatch(/sums:|workgroupBarrier/);
    for (const PARTS of [1, 2]) expect(text(PARTS)).toMatch(/var< ?workgroup ?> sums_too: u32;/);
  });

  it("keeps a private variable and a constant, which cost nothing", () => {
    const { code } = only("var<private> kept: f32;", "const N: u32 = 1u;", write("y"), main("y[0] = 1.0f;"));
    for (const declared of ["var<private> kept: f32;", "const N: u32 = 1u;"]) expect(code).toContain(declared);
  });

  it("is not kept by a comment or by a member of its name", () => {
    const shader = only(
      read("x"),
      read("y"),
      write("z"),
      "fn helper() { return; } // helper of x",
      main("// x and helper() are not used here\nz[0] = v.x + y[0];"),
    );
    expect(shader.bindings.map(({ name }) => name)).toEqual(["y", "z"]);
    expect(shader.code).not.toContain("fn helper");
  });

  it("is not kept by a longer name", () => {
    const shader = only(read("x"), read("x_scale"), write("y"), main("y[0] = x_scale[0];"));
    expect(shader.bindings.map(({ name }) => name)).toEqual(["x_scale", "y"]);
  });

  it("stays where an index or an argument uses it", () => {
    const shader = only(read("x"), write("y"), "fn f(i: u32) -> f32 { return x[i]; }", main("y[u32(x[0])] = f(0u);"));
    expect(shader.bindings).toHaveLength(2);
    expect(shader.code).toContain("fn f(");
  });
});

describe("bindings", () => {
  it("are numbered in the order in which they stand, without gaps", () => {
    const shader = only(read("a", 3), read("gone", 1), write("b", 1), read("c", 5), main("b[0] = a[0] + c[0];"));
    expect(shader.bindings).toEqual([
      { name: "a", access: "read" },
      { name: "b", access: "write" },
      { name: "c", access: "read" },
    ]);
    const numbers = [...shader.code.matchAll(/@binding\((\d+)\) var<[^>]*> (\w+)/g)].map(([, at, name]) => [at, name]);
    expect(numbers).toEqual([
      ["0", "a"],
      ["1", "b"],
      ["2", "c"],
    ]);
  });
});

describe("a user's spelling", () => {
  it("of bindings is free in its blanks, and in what WGSL lets one leave out", () => {
    const shader = only(
      "@group(0) @binding(3) var<storage,read_write> y : array<f32>;",
      "  @group(0)@binding(1)  var< storage > x: array<f32>;",
      "@binding(1) @group(0)\nvar<storage, read> u: array<f32>;",
      main("y[0] = x[0] + u[0];"),
    );
    expect(shader.bindings).toEqual([
      { name: "y", access: "write" },
      { name: "x", access: "read" },
      { name: "u", access: "read" },
    ]);
    expect(shader.code.match(/@binding\(\d\)/g)).toEqual(["@binding(0)", "@binding(1)", "@binding(2)"]);
  });

  it("that is not read is named, and not left out", () => {
    for (const line of [
      "@group(0) @binding(0) var<uniform> x: f32;",
      "@group(1) @binding(0) var<storage> x: f32;",
      "@binding(0) var<storage> x: f32;",
      "@group(0) @binding(0) var x: sampler;",
    ]) {
      const { message } = failure(() => only(line, main("let a = x;")));
      expect(message).toContain(`"${line}" must be of group 0 and a var of storage`);
    }
  });
});

describe("library files", () => {
  const library = [
    "// `operand` is renamed.",
    read("operand"),
    "fn load_operand(i: u32) -> f32 { return operand[i]; }",
    "fn operands() -> f32 { return 0.0f; }",
  ].join("\n");

  it("are used for several buffers under several names", () => {
    const code = `${write("y")}\n${main("y[0] = load_a(0u) + load_b(1u);")}`;
    const sources = [{ code }, ...["a", "b"].map((operand) => ({ code: library, rename: { operand } }))];
    const shader = specialize(sources, {});
    expect(shader.bindings.map(({ name }) => name)).toEqual(["y", "a", "b"]);
    expect(shader.code).toContain("fn load_a(i: u32) -> f32 { return a[i]; }");
    expect(shader.code).toContain("fn load_b(i: u32) -> f32 { return b[i]; }");
  });

  it("keep longer words that begin or end alike", () => {
    const shader = specialize([{ code: main("let a = operands();") }, { code: library, rename: { operand: "x" } }], {});
    expect(shader.code).toContain("fn operands()");
    expect(shader.bindings).toEqual([]);
  });

  it("may need a language extension: it moves to the top, once", () => {
    const first = { code: `enable f16;\n${main("f();")}` };
    const second = { code: "enable f16;\n  requires packed_4x8_integer_dot_product;\nfn f() { return; }\n" };
    const { code } = specialize([first, second], {});
    const lines = code.split("\n").map((line) => line.trim());
    expect(lines.slice(0, 2)).toEqual(["enable f16;", "requires packed_4x8_integer_dot_product;"]);
    expect(code.match(/enable f16;/g)).toHaveLength(1);
    expect(code.match(/requires/g)).toHaveLength(1);
  });
});

describe("the entry point", () => {
  it("is named, with the size of its workgroups", () => {
    const { entryPoint, workgroupSize } = only(main("return;"));
    expect({ entryPoint, workgroupSize }).toEqual({ entryPoint: "main", workgroupSize: [8, 2, 1] });
  });

  it("must be there", () => {
    const { code, message } = failure(() => only("fn f() { return; }"));
    expect(code).toBe("value");
    expect(message).toContain("@compute");
    expect(failure(() => only("@compute\nfn main() { return; }")).message).toContain("@workgroup_size");
  });

  it("is the same text for the same input", () => {
    const code = `${read("x")}\n${write("y")}\n${main("y[0] = x[0];")}`;
    expect(only(code)).toEqual(only(code));
  });
});
