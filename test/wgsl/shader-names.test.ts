import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { FUNCTIONS } from "../../src/ops/pointwise/functions.ts";
import { listedNames, namesOf } from "../support/wgsl-names.ts";

const FOLDER = fileURLToPath(new URL("../../shaders", import.meta.url));
const FILES = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".wgsl"));
const LIBRARIES = FILES.filter((file) => /(^|\/)lib\//.test(file));
const texts = new Map(FILES.map((file) => [file, readFileSync(join(FOLDER, file), "utf8")]));
const names = new Map(FILES.map((file) => [file, namesOf(texts.get(file)!)]));
/** Names in text that src writes: what expressions call (src/ops/pointwise/expression.ts), and src/ops/updates/when-due.ts. */
const called = Object.values(FUNCTIONS).flatMap(({ wgsl }) => wgsl("a", "b", "c").match(/\w+(?=\()/g) ?? []);
called.push("is_due");
const wanted = [...new Set([...[...names.values()].flatMap(({ free }) => [...free]), ...called])];

/** What a library's name may be renamed to: `load_operand` to `load_x`. Tensors are in small letters, constants are not. */
const renamed = (name: string) => new RegExp(`^${name.replace(/operand|output|terms/, "[a-z]\\w*")}$`);
const isWanted = (name: string) => wanted.some((other) => renamed(name).test(other));

describe("a library file", () => {
  it.each(LIBRARIES)("%s lists what it provides to others and what it needs of them", (file) => {
    const { declared, free } = names.get(file)!;
    const provided = [...declared].filter(isWanted);
    expect(listedNames(texts.get(file)!, "provides") ?? []).toEqual(provided);
    expect(listedNames(texts.get(file)!, "needs") ?? []).toEqual([...free]);
  });

  it("is where all names come from that a kernel does not declare itself", () => {
    const provided = LIBRARIES.flatMap((file) => listedNames(texts.get(file)!, "provides") ?? []).map(renamed);
    const kernels = FILES.filter((file) => !LIBRARIES.includes(file));
    const unknown = kernels.flatMap((file) =>
      [...names.get(file)!.free].filter((name) => !provided.some((pattern) => pattern.test(name))),
    );
    expect(unknown).toEqual([]);
  });
});

describe("names of a text", () => {
  it("are told apart: its own, those of WGSL, locals, fields, and what it needs", () => {
    const code = `
      struct Pair { a: f32, b: Other }
      const SIZE: u32 = 4u * FACTOR;
      var<workgroup> shared_a: array<Pair, SIZE>;
      fn f(x: f32) -> f32 {
        let y = g(x) + shared_a[0].a;
        for (var i = 0u; i < LIMIT; i++) { }
        return max(y, 1.0f);
      }`;
    const { declared, free } = namesOf(code);
    expect([...declared]).toEqual(["Pair", "SIZE", "shared_a", "f"]);
    expect([...free]).toEqual(["Other", "FACTOR", "g", "LIMIT"]);
  });

  it("may be listed on several lines", () => {
    expect(listedNames("// About.\n// needs: a, b,\n//   c\n// provides: d\n\nconst d = 1u;", "needs")).toEqual([
      "a",
      "b",
      "c",
    ]);
  });
});
