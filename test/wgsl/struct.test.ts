import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { leanShader } from "../../cli/lean-shaders.ts";
import { stepState, sweepStart, sweepStartOffset, sweepState } from "../../src/graph/step-state.ts";
import { meanLayout } from "../../src/ops/batch/means.ts";
import { structOf } from "../../src/wgsl/struct.ts";
import { failure } from "../support/building.ts";

const fieldsOf = (code: string, name = "S") => structOf({ code }, name).fields;
const of = (type: "u32" | "i32" | "f32", word: number) => ({ type, word });

describe("structOf", () => {
  it.each([
    ["one line", "struct S { a: u32, b: f32 }"],
    ["no blanks", "struct S{a:u32,b:f32}fn f(){}"],
    ["a comma at the end", "struct S {\n  a: u32,\n  b: f32,\n}"],
    ["a semicolon after it", "struct S { a: u32, b: f32 };"],
    ["comments in it", "struct S { // c: u32,\n a: u32, /* d: i32, } */ b: f32, // }\n}"],
    ["a comment of its name before it", "// struct S { x: f32 }\nstruct S { a: u32, b: f32 }"],
    ["another struct before it", "struct SS { x: i32 }\nstruct T { S: u32 }\nstruct S { a: u32, b: f32 }"],
    ["names like types", "struct S { a: u32, b: f32 } const u32x: u32 = 1u;"],
  ])("reads a struct with %s", (_, code) => {
    expect(fieldsOf(code)).toEqual({ a: of("u32", 0), b: of("f32", 1) });
  });

  it("gives the place of each field", () => {
    const layout = structOf({ code: "struct S { a: i32, b: f32, c: u32 }" }, "S");
    expect(layout.fields).toEqual({ a: of("i32", 0), b: of("f32", 1), c: of("u32", 2) });
    expect([layout.words, layout.bytes]).toEqual([3, 12]);
  });

  it("reads a text once, and each name of it apart", () => {
    const source = { code: "struct S { a: u32 } struct T { b: f32 }" };
    expect(structOf(source, "S")).toBe(structOf(source, "S"));
    expect(structOf(source, "T").fields).toEqual({ b: of("f32", 0) });
  });

  it.each([
    ["a vector", "struct S { a: u32, b: vec2f, }", 'S has "b:vec2f,"'],
    ["a generic vector", "struct S { b: vec2<f32> }", 'S has "b:vec2<f32>"'],
    ["an array", "struct S { b: array<u32, 4> }", 'S has "b:array<u32,4>"'],
    ["an atomic", "struct S { b: atomic<u32>, c: u32 }", 'S has "b:atomic<u32>,c:u32"'],
    ["a bool", "struct S { on: bool }", 'S has "on:bool"'],
    ["half a float", "struct S { b: f16 }", 'S has "b:f16"'],
    ["a name of Object's", "struct S { b: toString }", 'S has "b:toString"'],
    ["an attribute", "struct S { @align(16) b: f32 }", 'S has "@align(16)b:f32"'],
    ["a second attribute", "struct S { a: u32, @size(8) b: f32 }", 'S has "@size(8)b:f32"'],
    ["no end", "struct S { a: u32,", 'S has "'],
    ["no fields' types", "struct S { a }", 'S has "a"'],
  ])("refuses a struct with %s", (_, code, message) => {
    const error = failure(() => fieldsOf(code));
    expect(error.code).toBe("value");
    expect(error.message).toContain(message);
    expect(error.message).toContain("u32, i32 or f32");
  });

  it("refuses a text that has no such struct", () => {
    const { code, message } = failure(() => fieldsOf("fn S() {} // struct S { a: u32 }"));
    expect({ code, message }).toEqual({ code: "value", message: "The shader declares no struct S." });
  });
});

describe("a layout", () => {
  const source = { code: "struct S { a: u32, b: f32, c: i32 }" };
  const layout = structOf<"a" | "b" | "c">(source, "S");

  it("writes and reads values of each type, to the bit", () => {
    const words = layout.write({ c: -2, a: 0xffffffff, b: 0.5 });
    expect([...words]).toEqual([0xffffffff, 0x3f000000, 0xfffffffe]);
    expect(layout.read(words.buffer)).toEqual({ a: 0xffffffff, b: 0.5, c: -2 });
  });

  it("refuses a field that it does not have, and one that is left out", () => {
    const unknown = { a: 1, b: 2, c: 3, toString: 4 };
    expect(failure(() => layout.write(unknown as never)).message).toBe(
      'Struct S has no field "toString". Its fields: a, b, c.',
    );
    expect(failure(() => layout.write({ a: 1, c: 2 } as never)).message).toBe(
      'Struct S needs a value for "b". Its fields: a, b, c.',
    );
  });
});

const shipped = (path: string) => {
  const code = readFileSync(fileURLToPath(new URL(`../../shaders/${path}`, import.meta.url)), "utf8");
  return [{ code }, { code: leanShader(code) }];
};

describe("the structs that TypeScript and WGSL share", () => {
  it("are read out of the source and out of the shipped text alike", () => {
    for (const [path, name, layout] of [
      ["lib/state.wgsl", "StepState", stepState()],
      ["batch/lib/means.wgsl", "Mean", meanLayout()],
    ] as const) {
      for (const source of shipped(path)) expect(structOf(source, name).fields).toEqual(layout.fields);
    }
  });

  it("lie as snapshots have them", () => {
    expect(Object.keys(stepState().fields)).toEqual(["step", "position", "samples", "rows", "batch"]);
    const floats = { sum_high: of("f32", 0), sum_low: of("f32", 1) };
    const counts = { samples: of("u32", 2), steps: of("u32", 3), bad_step: of("u32", 4) };
    expect(meanLayout().fields).toEqual({ ...floats, ...counts });
  });

  it("leave the step's number to the device where a sweep begins", () => {
    const sweep = { samples: 100, batch: 32 };
    expect([...sweepStart(sweep)]).toEqual([...sweepState({ ...sweep, step: 7 })].slice(sweepStartOffset() / 4));
    expect(sweepStart(sweep).byteOffset).toBe(0);
    expect(sweepStart(sweep).byteLength).toBe(stepState().bytes - sweepStartOffset());
  });
});
