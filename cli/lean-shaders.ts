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

/** A declaration stays on a line of its own, where `specialize` looks for it; it also declares what is given from outside. */
export function leanShader(code: string): string {
  const lines = code.split("\n").map((line) => line.replace(/\/\/(?! unroll).*|^override \w+: \w+;/g, "").trim());
  const declarations = /(?<!\/\/ unroll)\n(?!\/\/|@|(?:alias|const|diagnostic|enable|fn|struct)\b|var<)/g;
  return lines
    .filter((line) => line !== "")
    .map((line) => (line.startsWith("//") ? line : leanLine(line)))
    .join("\n")
    .replace(declarations, "");
}

/** Spaces beside signs go, unless two signs would become another. */
function leanLine(line: string): string {
  const lean = line.replace(/ ?([-+*/%=<>&|,;:!?{}()[\]]+) ?/g, "$1");
  return /--|\+\+[^;)]/.test(lean) ? line : lean;
}
