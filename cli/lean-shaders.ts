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

/** Comments but the marks, and declarations without which `specialize` declares the same by the values that it is given. */
const DROPPED = /\/\*[\s\S]*?\*\/|\/\/(?! unroll\s*$).*|^override \w+ ?: ?(?:u32|bool);/gm;

/** Ends of lines, but those that `specialize` looks for: around a mark, and before what is declared at module scope. */
const JOINT = /(?<!\/\/ unroll)\n(?!\/\/|@|(?:alias|const|diagnostic|enable|fn|override|requires|struct)\b|var<)/g;

/** The same tokens in fewer bytes, but for what is dropped. */
export function leanShader(code: string): string {
  const kept = code.replace(DROPPED, " ").replace(/(?=\/\/ unroll)/g, "\n");
  const lines = kept.split("\n").map((line) => line.trim());
  return lines
    .filter((line) => line !== "")
    .map((line) => (line.startsWith("//") ? line : leanLine(line)))
    .join("\n")
    .replace(JOINT, (_, at: number, text: string) => (/\w\w|--/.test(text[at - 1]! + text[at + 1]!) ? " " : ""));
}

/** Spaces beside signs go, unless two signs would become another. */
function leanLine(line: string): string {
  const lean = line.replace(/ *([-+*/%=<>&|,;:!?{}()[\]]+) */g, "$1");
  return /--|\+\+[^;)]/.test(lean) ? line : lean;
}
