import { type Source, specialize } from "../../src/wgsl/specialize.ts";

type Vector = readonly number[];

/**
 * Functions of WGSL library files, run in float64 on the processor: for those that are straight lines of sums and products
 * of arrays of `Channels` once `specialize` has unrolled them. Channels, which never meet, are one number here.
 *
 * @returns each function by its name, from array to array
 * @throws SyntaxError or ReferenceError where a function holds more than that
 */
export function wgslArithmetic<Name extends string>(
  sources: readonly Source[],
  values: Readonly<Record<string, number>>,
  names: readonly Name[],
): Record<Name, (x: Vector) => number[]> {
  const calls = names.map((name) => `${name}(x);`).join("\n");
  const entry = { code: `@compute @workgroup_size(1)\nfn main() {\n${calls}\n}` };
  const { code } = specialize([...sources, entry], values);
  const functions = names.map((name) => asJavaScript(functionNamed(code, name)));
  const constants = [...code.matchAll(/^const \w+(?:: u32)? = [^;]*;/gm)].map(([line]) => asJavaScript(line));
  return new Function(`"use strict";\n${[...constants, ...functions].join("\n")}\nreturn { ${names.join(", ")} };`)();
}

function functionNamed(code: string, name: string): string {
  const text = new RegExp(`^fn ${name}\\([\\s\\S]*?^}`, "m").exec(code)?.[0];
  if (text === undefined) throw new Error(`There is no function "${name}".`);
  return text;
}

function asJavaScript(code: string): string {
  return code
    .replace(/\/\/.*/g, "")
    .replace(/^const (\w+): u32/, "const $1")
    .replace(/^fn (\w+)\((\w+): \w+\) -> \w+/, "function $1($2)")
    .replace(/\bvar (\w+): \w+;/g, "let $1 = [];")
    .replace(/\b(?:var|let) (?=\w+ =)/g, "let ")
    .replace(/\b(?:vec4f|Channels)\(([^()]*)\)/g, "$1")
    .replace(/\bPoints\(|\barray<[^>]*>\(/g, "Array.of(")
    .replace(/\b(\d+(?:\.\d+)?)[fu]\b/g, "$1");
}
