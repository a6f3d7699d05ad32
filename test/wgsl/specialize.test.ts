import { describe, expect, it } from "vitest";
import { leanShader } from "../../cli/lean-shaders.ts";
import { type Source, type Specialized, specialize } from "../../src/wgsl/specialize.ts";
import { failure } from "../support/building.ts";

type Values = Parameters<typeof specialize>[1];

/** A kernel with this body; `head` holds constants, bindings and functions. */
const kernel = (body: string, head = ""): string => `${head}\n@compute @workgroup_size(64)\nfn main() {\n${body}\n}\n`;

const run = (code: string, values: Values = {}, ...libraries: Source[]): Specialized =>
  specialize([{ code }, ...libraries], values);

/** The text without indentation and empty lines. */
const lines = ({ code }: Specialized): string[] =>
  code
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

/** The body of `main`, without spaces and the braces that a kept branch leaves. */
const body = (shader: Specialized): string => {
  const { code } = shader;
  return code.slice(code.indexOf("fn main() {") + 11, code.lastIndexOf("}")).replace(/[\s{}]/g, "");
};

describe("constants", () => {
  const head = [
    "const SIZE: u32 = 1u;",
    "const SIZE_Y: u32 = 2u;",
    "const SHIFT: i32 = 0i;",
    "const RATE: f32 = 1.0f;",
    "const ON: bool = false;",
  ].join("\n");

  it.each<[Values, string]>([
    [{ SIZE: 15 }, "const SIZE: u32 = 15u;"],
    [{ SIZE: 0 }, "const SIZE: u32 = 0u;"],
    [{ SIZE_Y: 7 }, "const SIZE_Y: u32 = 7u;"],
    [{ SHIFT: -5 }, "const SHIFT: i32 = -5i;"],
    [{ RATE: 2 }, "const RATE: f32 = 2.0f;"],
    [{ RATE: 0.5 }, "const RATE: f32 = 0.5f;"],
    [{ RATE: 1e-7 }, "const RATE: f32 = 1e-7f;"],
    [{ RATE: 1e21 }, "const RATE: f32 = 1e+21f;"],
    [{ ON: true }, "const ON: bool = true;"],
  ])("sets %o", (values, line) => {
    const got = lines(run(kernel("", head), values));
    expect(got).toContain(line);
    // The others are as they were.
    const unchanged = head.split("\n").filter((other) => !other.startsWith(`const ${Object.keys(values)[0]}:`));
    for (const other of unchanged) expect(got).toContain(other);
  });

  it("sets a library file's", () => {
    expect(lines(run(kernel(""), { N: 4 }, { code: "const N: u32 = 1u;\n" }))).toContain("const N: u32 = 4u;");
  });

  it("refuses what the text names and does not declare", () => {
    for (const set of [
      () => run(kernel("let n = ROWS;", head), { ROWS: 3 }),
      () => run(kernel("let n = ROWS;", head), {}, { code: "", given: { ROWS: true } }),
    ]) {
      expect(failure(set)).toMatchObject({ code: "value", message: expect.stringContaining('"override ROWS: type;"') });
    }
  });

  it.each(["override HAS_BIAS: bool;", "override HAS_BIAS : bool; // whether"])(
    "refuses a number for a bool, in the source and in the shipped text: %s",
    (line) => {
      const code = kernel("if (HAS_BIAS) { a(); }", line);
      for (const text of [code, leanShader(code)]) {
        expect(failure(() => run(text, { HAS_BIAS: 1 })).message).toContain("HAS_BIAS is of type bool, got 1");
        expect(body(run(text, { HAS_BIAS: true }))).toContain("a();");
      }
    },
  );

  it.each<[string, number | boolean, string]>([
    ["override N: u32;", 4, "const N: u32 = 4u;"],
    ["override N:i32;", -4, "const N: i32 = -4i;"],
    ["override N : f32;", 4, "const N: f32 = 4.0f;"],
    ["override N: bool;", true, "const N: bool = true;"],
    ["override N: u32 = 3u;", 4, "const N: u32 = 4u;"],
    ["const  N : u32=3u;", 4, "const N: u32 = 4u;"],
  ])("sets %s to %s", (line, N, want) => {
    const got = lines(run(kernel("use(N);", line), { N }));
    expect(got).toContain(want);
    expect(got.filter((other) => /\bN ?:/.test(other))).toEqual([want]);
  });

  it("keeps an override's default", () => {
    const shader = run(kernel("if (N > 2u) { a(); } else { b(); }", "override N: u32 = 3u;"));
    expect(lines(shader)).toContain("override N: u32 = 3u;");
    expect(body(shader)).toBe("a();");
  });

  it.each(["u32", "f32", "bool"])("refuses an override of type %s that has no value", (type) => {
    const { code, message } = failure(() => run(kernel("use(N);", `override N: ${type};`)));
    expect(code).toBe("value");
    expect(message).toContain(`N is of type ${type}, got undefined`);
  });

  it("sets what a library file is given, after directives, and refuses what no text declares", () => {
    const code = "enable subgroups;\noverride N: u32;\nfn twice_x() -> u32 { return 2u * N; }";
    const got = lines(run(kernel("let n = twice_x();"), {}, { code, given: { N: 4 } }));
    expect(got[0]).toBe("enable subgroups;");
    expect(got).toContain("const N: u32 = 4u;");
    const { message } = failure(() => run(kernel("f();"), {}, { code, given: { N: 4, OTHER: 5 } }));
    expect(message).toContain('"const OTHER: type = value;"');
  });

  it.each<[string, Values, Source[]]>([
    [
      "by two library files",
      {},
      [
        { code: "override N: u32;", given: { N: 4 } },
        { code: "", given: { N: 4 } },
      ],
    ],
    ["by a library file and by the call, which wins", { N: 4 }, [{ code: "override N: u32;", given: { N: 5 } }]],
    ["in the place of a default", {}, [{ code: "const N: u32 = 5u;", given: { N: 4 } }]],
    ["in the place of an override", {}, [{ code: "override N: u32;", given: { N: 4 } }]],
  ])("declares once what is given %s", (_, values, libraries) => {
    const got = lines(run(kernel("use(N);"), values, ...libraries));
    expect(got.filter((line) => /\bN:/.test(line))).toEqual(["const N: u32 = 4u;"]);
  });

  it.each(["const N = 4u;", "const N: vec2u = vec2u(4u);", "@id(1) override N: u32;", "fn N() {}"])(
    "refuses to set what is declared as %s",
    (line) => {
      for (const set of [
        () => run(kernel("use(N);", line), { N: 4 }),
        () => run(kernel("use(N);"), {}, { code: line, given: { N: 4 } }),
      ]) {
        expect(failure(set)).toMatchObject({
          code: "value",
          message: expect.stringContaining('"const N: type = value;"'),
        });
      }
    },
  );

  it("refuses the name of a variable", () => {
    const { message } = failure(() => run(kernel("let size = SIZE; use(size);", head), { size: 3 }));
    expect(message).toContain('"const size: type = value;"');
  });

  it("refuses a name that is not there, and lists those that are", () => {
    const { code, message } = failure(() => run(kernel("", head), { SIZES: 3 }));
    expect(code).toBe("value");
    expect(message).toContain("SIZES");
    expect(message).toContain("SIZE, SIZE_Y, SHIFT, RATE, ON");
  });

  it.each<[Values, string]>([
    [{ SIZE: -1 }, "u32"],
    [{ SIZE: 1.5 }, "u32"],
    [{ SIZE: Number.NaN }, "u32"],
    [{ SIZE: true }, "u32"],
    [{ SHIFT: 0.5 }, "i32"],
    [{ SHIFT: false }, "i32"],
    [{ RATE: Number.POSITIVE_INFINITY }, "f32"],
    [{ RATE: true }, "f32"],
    [{ ON: 1 }, "bool"],
  ])("refuses %o for its type", (values, type) => {
    const [[name, value]] = Object.entries(values) as [[string, unknown]];
    const { code, message } = failure(() => run(kernel("", head), values));
    expect(code).toBe("value");
    for (const word of [name, type, String(value)]) expect(message).toContain(word);
  });

  it.each([1n, Symbol("one"), undefined, null, {}, () => 1, "1"])("refuses %o, which is no constant", (SIZE) => {
    run(kernel("", head), { SIZE: 1 });
    const error = failure(() => run(kernel("", head), { SIZE } as never));
    expect([error.code, error.message]).toEqual(["value", expect.stringContaining("SIZE is of type u32, got")]);
  });

  it("computes constants from earlier ones, for loops, branches and workgroups", () => {
    const text = [
      "const K: u32 = 1u;",
      "const INNER: u32 = (K + 3u) / 4u;",
      "const WIDE: bool = INNER > 2u;",
      "@compute @workgroup_size(INNER, 4)",
      "fn main() {",
      "  // unroll",
      "  for (var i = 0u; i < INNER; i++) {",
      "    at(i);",
      "  }",
      "  if (WIDE) {",
      "    wide();",
      "  } else {",
      "    narrow();",
      "  }",
      "}",
    ].join("\n");
    const shader = run(text, { K: 10 });
    expect(body(shader)).toBe("at(0u);at(1u);at(2u);wide();");
    expect(shader.workgroupSize).toEqual([3, 4, 1]);
    expect(body(run(text, { K: 4 }))).toBe("at(0u);narrow();");
  });

  it("leaves to WGSL what it does not know, and every branch that depends on it", () => {
    const text = kernel(
      "if (M == 2u) { a(); } else { b(); }",
      "const M: u32 = select(1u, 2u, ON);\nconst ON: bool = true;",
    );
    expect(body(run(text))).toBe("if(M==2u)a();elseb();");
  });

  it.each(["A << 2u", "A & 6u", "0xffu"])("leaves const B: u32 = %s to WGSL", (initialiser) => {
    const declaration = `const B: u32 = ${initialiser};`;
    expect(run(kernel("use(B);", `const A: u32 = 1u;\n${declaration}`)).code).toContain(declaration);
  });
});

describe("unrolling", () => {
  const loop = (variable: string, to: string, inside: string, from = "0u") =>
    `// unroll\nfor (var ${variable} = ${from}; ${variable} < ${to}; ${variable}++) {\n${inside}\n}`;

  it("repeats the body of a marked loop with each number", () => {
    const shader = run(kernel(loop("i", "4u", "let a_i = x[i]; f(i, ii);", "1u")));
    expect(body(shader)).toBe([1, 2, 3].map((i) => `leta_i=x[${i}u];f(${i}u,ii);`).join(""));
  });

  it("unrolls loops in loops, the outer one first", () => {
    const shader = run(
      kernel(loop("i", "2u", loop("j", "N", "f(i * N + j);"))),
      { N: 3 },
      { code: "const N: u32 = 1u;" },
    );
    const pairs = [0, 1].flatMap((i) => [0, 1, 2].map((j) => `f(${i}u*N+${j}u);`));
    expect(body(shader)).toBe(pairs.join(""));
  });

  it("lets an inner loop run to the outer one's number", () => {
    expect(body(run(kernel(loop("i", "3u", loop("j", "i", "f(i, j);")))))).toBe("f(1u,0u);f(2u,0u);f(2u,1u);");
  });

  it("keeps each copy a block of its own, so that names do not clash", () => {
    const { code } = run(kernel(loop("i", "2u", "let v = i;")));
    expect(code.match(/\{\s*let v = \du;\s*\}/g)).toHaveLength(2);
  });

  it("drops a loop that never runs", () => {
    expect(body(run(kernel(`${loop("i", "0u", "f(i);")} g();`)))).toBe("g();");
  });

  it("leaves loops alone that are not marked", () => {
    const plain = "for (var i = 0u; i < 2u; i++) {\n f(i);\n}";
    expect(run(kernel(plain)).code).toContain(plain);
  });

  it("does not take a member for the variable of the loop", () => {
    expect(body(run(kernel(loop("x", "2u", "f(v.x, x);"))))).toBe("f(v.x,0u);f(v.x,1u);");
  });

  it.each([
    "for (var i = 0u; i <= 2u; i++) { f(i); }",
    "for (var i = 0u; j < 2u; i++) { f(i); }",
    "while (r) { f(); }",
  ])("refuses a mark before %s", (text) => {
    const { code, message } = failure(() => run(kernel(`// unroll\n${text}`)));
    expect(code).toBe("value");
    expect(message).toContain('wants "for (var i = a; i < b; i++) {" after it');
  });

  it("names the bound that it does not know", () => {
    expect(failure(() => run(kernel(loop("i", "rows", "f(i);")))).message).toContain('"rows"');
  });
});

describe("branches", () => {
  const head = "const A: u32 = 0u;\nconst ON: bool = true;\nconst OFF: bool = false;";
  const chain =
    "if (A == 0u) { zero(); } else if (A == 1u) { one(); } else if (A == 2u) { two(); } else { more(); } after();";

  it.each([
    [0, "zero();after();"],
    [1, "one();after();"],
    [2, "two();after();"],
    [3, "more();after();"],
  ])("keeps one branch of a chain: A = %i", (A, want) => {
    expect(body(run(kernel(chain, head), { A }))).toBe(want);
  });

  it.each([
    ["if (ON) { a(); } b();", "a();b();"],
    ["if (OFF) { a(); } b();", "b();"],
    ["if (OFF) { a(); } else if (OFF) { b(); } c();", "c();"],
    ["if (ON) { if (OFF) { a(); } else { b(); } } else { c(); }", "b();"],
    ["if (ON) { for (;;) { if (r) { break; } } a(); } else { b(); }", "for(;;)if(r)break;a();"],
    ["if (ON && A == 0u) { a(); } else { b(); }", "a();"],
    ["if (OFF) { // closes: }\n a(); } else { b(); }", "b();"],
    ["if (ON) { a(); } if (OFF) { b(); } if (ON) { c(); }", "a();c();"],
  ])("%s becomes %s", (text, want) => {
    expect(body(run(kernel(text, head)))).toBe(want);
  });

  it.each([
    "if (r > 0u) { a(); }",
    "if (r > 0u) { a(); } else { b(); }",
    "if (A == 0u && r > 0u) { a(); } else { b(); }",
    "if (x.A > y) { a(); } else if (r) { b(); }",
  ])("leaves %s alone, since it is not known before", (text) => {
    expect(run(kernel(text, head)).code).toContain(text);
  });

  it.each([
    ["if (OFF) { a(); } else if (r) { b(); } else { c(); }", "if (r) { b(); } else { c(); }"],
    ["if (r) { a(); } else if (ON) { b(); } else { c(); }", "if (r) { a(); } else { b(); }"],
    ["if (r) { a(); } else if (OFF) { b(); } else { c(); }", "if (r) { a(); } else { c(); }"],
  ])("%s becomes %s", (text, want) => {
    expect(run(kernel(text, head)).code).toContain(want);
  });

  it("leaves no else without a branch where the last known condition is false", () => {
    const { code } = run(kernel("if (r) { a(); } else if (OFF) { b(); }\nc();", head));
    expect(code).not.toMatch(/else(?!\s*(?:\{|if))/);
    expect(code).not.toContain("b()");
    expect(code).toContain("c();");
  });

  it.each(["// if (ON) { this } else { that }", "/* if (ON) { this } */", "/* two\nlines: } */"])(
    "drops %s",
    (comment) => {
      expect(body(run(kernel(`${comment}\na();`, head)))).toBe("a();");
    },
  );

  it("prunes the branch that follows a comment with an if in it", () => {
    const { code } = run(kernel("// read if (and only if) wanted\nif (OFF) { a(); } else { b(); }", head));
    expect(code).not.toContain("wanted");
    expect(code).not.toContain("a()");
  });

  it("names a shader whose brace is not closed", () => {
    expect(failure(() => run(`${head}\nfn main() {\nif (ON) {\n a();\n`)).message).toContain("brace");
  });
});

describe("the same text again", () => {
  const code = "const N: u32 = 1u;\n@compute @workgroup_size(N) fn main() { if (N == 2u) { let two = N; } }";

  it("gives an equal shader that no caller shares with another", () => {
    const first = specialize([{ code }], { N: 2 });
    (first.workgroupSize as unknown as number[])[0] = 7;
    expect(specialize([{ code }], { N: 2 })).toMatchObject({ workgroupSize: [2, 1, 1], code: first.code });
  });

  it("is another text for other constants, also after many others", () => {
    const sizes = Array.from({ length: 200 }, (_, i) => i + 1);
    const made = () => sizes.map((N) => specialize([{ code }], { N }).workgroupSize[0]);
    expect(made()).toEqual(sizes);
    expect(made()).toEqual(sizes);
    expect(specialize([{ code }], { N: 2 }).code).toContain("two");
    expect(specialize([{ code }], { N: 3 }).code).not.toContain("two");
  });
});
