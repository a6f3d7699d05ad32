import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { leanShader } from "../../cli/lean-shaders.ts";
import { mergePartOf, mergeParts } from "../../src/wgsl/merge-kernels.ts";
import { specialize } from "../../src/wgsl/specialize.ts";

const FOLDER = fileURLToPath(new URL("../../shaders", import.meta.url));
const FILES = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".wgsl"));

/** WGSL's tokens, the longest first; comments are none. */
const TOKEN = /\/\/ unroll|\/\/.*|[\w.]+|->|\+\+|--|&&|\|\||<<=?|[-+*/%&|^!=<>]=|\S/g;
const tokens = (code: string) =>
  [...code.matchAll(TOKEN)].map(([token]) => token).filter((token) => !/^\/\/(?! unroll)/.test(token));

describe("the package's shaders", () => {
  it.each(FILES)("%s has the same tokens in fewer bytes", (file) => {
    const code = readFileSync(join(FOLDER, file), "utf8");
    expect(tokens(leanShader(code))).toEqual(tokens(code));
    expect(leanShader(code).length).toBeLessThan(code.length);
  });

  it.each(["x = a - -b;", "x = a - --b;"])("%s stays as it is", (line) => {
    expect(tokens(leanShader(line))).toEqual(tokens(line));
  });

  it.each([
    ["return\n  x;", "return x;"],
    ["{ if (a) {\n}\nelse\nif (b) {\n}\n}", "{if(a){}else if(b){}}"],
    ["let a = b -\n  -c;", "let a=b- -c;"],
    ["{ a();\n// unrolled by hand\nb(); }", "{a();b();}"],
    ["a(); // unroll\nfor (;;) {\n}", "a();\n// unroll\nfor(;;){}"],
    ["/* of https://a.b,\n// c */\n{ a(); /* d */ b(); }", "{a();b();}"],
    [
      "// c\r\noverride N: u32; // d\r\n{ a();\r\n// unroll \r\nfor (;;) {\r\n}\r\n }",
      "override N:u32;\n{a();\n// unroll\nfor(;;){}}",
    ],
    [
      "override A: u32;\noverride B : bool;\noverride C: f32;\noverride D: u32 = 1u;",
      "override A:u32;\noverride B:bool;\noverride C:f32;\noverride D:u32=1u;",
    ],
    ["enable f16;\nrequires g;\nfn f() {\n}", "enable f16;\nrequires g;\nfn f(){}"],
  ])("%j becomes %j", (code, lean) => {
    expect(leanShader(code)).toBe(lean);
  });

  it("may have their entry point on one line", () => {
    const shader = specialize([{ code: leanShader("@compute @workgroup_size(64) fn main() { }") }], {});
    expect(shader).toMatchObject({ entryPoint: "main", workgroupSize: [64, 1, 1] });
    const part = mergePartOf({ kernel: "main", shader, bind: {}, workgroups: [1, 1, 1] })!;
    expect(mergeParts([part, part], 65535).shader.code.match(/@compute/g)).toHaveLength(1);
  });
});
