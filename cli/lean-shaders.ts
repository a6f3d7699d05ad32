import { readFileSync } from "node:fs";
import type { Plugin } from "vite";
import { type Token, tokensOf, UNROLL } from "../src/wgsl/tokens.ts";

/**
 * Imports `*.wgsl` as the sources that `specialize` takes. The package carries shaders without comments, save the marks that
 * `specialize` reads, and without needless space. Tests and the page run these too: what is shipped is what is tested.
 */
export function leanShaders(): Plugin {
  return {
    name: "featuremap-shaders",
    enforce: "pre",
    load(id) {
      if (!id.endsWith(".wgsl")) return null;
      return `export default { code: ${JSON.stringify(leanShader(readFileSync(id, "utf8")))} };`;
    },
  };
}

/**
 * The same tokens in fewer bytes, each declaration on a line of its own. `const A : u32 = 1u; // of what` becomes
 * `const A:u32=1u;`.
 */
export function leanShader(code: string): string {
  let depth = 0;
  let before: Token | undefined;
  const lean = tokensOf(code).map((token) => {
    const ends = depth === 0 && [";", "}"].includes(before?.text ?? "");
    if (["(", "{", "["].includes(token.text)) depth++;
    if ([")", "}", "]"].includes(token.text)) depth--;
    const line = ends || before?.text === UNROLL || (before && token.text === UNROLL);
    const gap = line ? "\n" : before && areOne(before, token) ? " " : "";
    before = token;
    return gap + token.text;
  });
  return lean.join("");
}

/** Whether two tokens would become others without a blank between them. */
function areOne(a: Token, b: Token): boolean {
  return tokensOf(a.text + b.text)[0]!.text !== a.text;
}
