import { describe, expect, it } from "vitest";
import { defineKernel, dispatch } from "../../src/wgsl/kernel.ts";
import { failure } from "../support/building.ts";

const code = `
const N: u32 = 1u;
const HAS_BIAS: bool = false;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read> bias: array<f32>;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn scale() {
  y[0] = x[0];
  if (HAS_BIAS) {
    y[0] += bias[0];
  }
}
`;

const kernel = defineKernel<{ x: "read"; bias: "read?"; y: "write" }>(code);
const workgroups = [1, 2, 3] as const;

describe("dispatch", () => {
  it("specialises the kernel and binds its buffers", () => {
    const made = dispatch(kernel, { bind: { x: "a", y: "b" }, constants: { N: 5 }, workgroups });
    expect(made.kernel).toBe("scale");
    expect(made.bind).toEqual({ x: "a", y: "b" });
    expect(made.workgroups).toEqual([1, 2, 3]);
    expect(made.shader.entryPoint).toBe("scale");
    expect(made.shader.code).toContain("const N: u32 = 5u;");
    expect(made.shader.bindings.map(({ name }) => name)).toEqual(["x", "y"]);
  });

  it("binds an optional buffer where the text uses it", () => {
    const made = dispatch(kernel, { bind: { x: 1, bias: 2, y: 3 }, constants: { HAS_BIAS: true }, workgroups });
    expect(made.bind).toEqual({ x: 1, bias: 2, y: 3 });
  });

  it("takes a buffer of number 0 for a buffer", () => {
    expect(dispatch(kernel, { bind: { x: 0, bias: undefined, y: 0 }, workgroups }).bind).toEqual({ x: 0, y: 0 });
  });

  it("does not type-check, and throws, where a buffer is missing", () => {
    const { code, message } = failure(() =>
      // @ts-expect-error: y is not bound
      dispatch(kernel, { bind: { x: "a" }, workgroups }),
    );
    expect(code).toBe("value");
    expect(message).toContain('"scale"');
    expect(message).toContain('"y"');
    expect(message).toContain("write");
  });

  it("throws where a required buffer is undefined", () => {
    const { message } = failure(() =>
      dispatch(kernel, { bind: { x: undefined as unknown as string, y: "b" }, workgroups }),
    );
    expect(message).toContain('"x"');
  });

  it("throws where a buffer is optional by its type but needed by its constants", () => {
    const { message } = failure(() =>
      dispatch(kernel, { bind: { x: "a", y: "b" }, constants: { HAS_BIAS: true }, workgroups }),
    );
    expect(message).toContain('"scale"');
    expect(message).toContain('"bias"');
  });

  it("does not type-check where a buffer is given that the kernel has not", () => {
    const call = () =>
      // @ts-expect-error: z is no binding of the kernel
      dispatch(kernel, { bind: { x: "a", y: "b", z: "c" }, workgroups });
    expect(call).toBeTypeOf("function");
  });

  it("throws where a buffer is given that the specialised text does not bind", () => {
    const { message } = failure(() =>
      dispatch(kernel, { bind: { x: "a", bias: "b", y: "c" }, constants: { HAS_BIAS: false }, workgroups }),
    );
    expect(message).toContain('"scale"');
    expect(message).toContain('"bias"');
  });

  it("throws where the text has a binding that was not declared", () => {
    const silent = defineKernel<{ y: "write" }>(code);
    const { message } = failure(() => dispatch(silent, { bind: { y: "b" }, workgroups }));
    for (const word of ['"scale"', '"x"', "read"]) expect(message).toContain(word);
  });

  it("knows the bindings of library files", () => {
    const library = {
      code: "@group(0) @binding(0) var<storage, read> t: array<f32>;\nfn load_t() -> f32 { return t[0]; }",
      rename: { t: "x" },
    };
    const main =
      "@group(0) @binding(0) var<storage, read_write> y: array<f32>;\n@compute @workgroup_size(1)\nfn copy() { y[0] = load_x(); }";
    const copy = defineKernel<{ x: "read"; y: "write" }>(main);
    const made = dispatch(copy, { bind: { x: "a", y: "b" }, libraries: [library], workgroups });
    expect(made.shader.bindings).toEqual([
      { name: "y", access: "write" },
      { name: "x", access: "read" },
    ]);
  });
});
