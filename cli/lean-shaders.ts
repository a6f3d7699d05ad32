import { readFileSync } from "node:fs";
import type { Plugin } from "vite";

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

/** Lines stay lines, so that what a compiler says of one can be found. What is given from outside is declared by `specialize`. */
export function leanShader(code: string): string {
  const lines = code.split("\n").map((line) => line.replace(/\/\/(?! unroll).*|^override \w+: \w+;/g, "").trim());
  return lines
    .filter((line) => line !== "")
    .map((line) => (line.startsWith("//") ? line : leanLine(line)))
    .join("\n");
}

/** Spaces beside signs go, unless two signs would become another. */
function leanLine(line: string): string {
  const lean = line.replace(/ ?([-+*/%=<>&|,;:!?{}()[\]]+) ?/g, "$1");
  return /--|\+\+[^;)]/.test(lean) ? line : lean;
}
