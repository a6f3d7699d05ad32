import { closing, type Declaration, indexOf, moduleOf, textAt } from "../../src/wgsl/module.ts";
import type { Token } from "../../src/wgsl/tokens.ts";

/** Names that WGSL itself has, of those that the shaders use. */
const PREDECLARED = new Set(
  `alias break case const const_assert continue continuing default diagnostic discard else enable false fn for if let loop
  override requires return struct switch true var while
  array atomic bool f32 i32 u32 mat2x4f mat4x4f vec2 vec3 vec4 vec2f vec2i vec2u vec3f vec3u vec4f vec4i vec4u
  function private workgroup storage read write read_write uniform
  abs all any atomicAdd bitcast ceil clamp cos cosh countTrailingZeros dot exp exp2 extractBits floor fma fract inverseSqrt ldexp log
  log2 max min mix modf pow quadSwapX quadSwapY round select sign sqrt step subgroupAdd subgroupBroadcast subgroups
  subgroup_uniformity off tanh transpose trunc unpack4x8unorm pack4xU8 unpack4xU8 workgroupBarrier`.split(/\s+/),
);

const isName = (text: string) => /^[\p{L}_]/u.test(text) && text !== "// unroll";

/** Names that a shader file declares at module scope, and those that it uses but declares nowhere. */
export function namesOf(code: string): { declared: ReadonlySet<string>; free: ReadonlySet<string> } {
  const declarations = moduleOf(code).filter(({ keyword }) => !["enable", "diagnostic", "requires"].includes(keyword));
  const declared = new Set(declarations.map(({ name }) => name));
  const free = new Set<string>();
  for (const declaration of declarations) {
    const local = localsOf(declaration);
    usesOf(declaration).forEach((name) => {
      if (!declared.has(name) && !local.has(name) && !PREDECLARED.has(name)) free.add(name);
    });
  }
  return { declared, free };
}

/** Names read in a declaration: no members, no attributes' names, no fields of a struct. */
function usesOf({ tokens, keyword }: Declaration): string[] {
  const bodyFrom = keyword === "struct" ? indexOf(tokens, "{", 0) : tokens.length;
  return tokens.flatMap(({ text }, i) => {
    if (!isName(text) || [".", "@"].includes(textAt(tokens, i - 1))) return [];
    if (isBuiltinValue(tokens, i)) return [];
    if (i > bodyFrom && textAt(tokens, i + 1) === ":") return [];
    return [text];
  });
}

/** Whether a name is the x of `@builtin(x)`. */
function isBuiltinValue(tokens: readonly Token[], i: number): boolean {
  return textAt(tokens, i - 1) === "(" && textAt(tokens, i - 2) === "builtin" && textAt(tokens, i - 3) === "@";
}

/** Names that a function declares: its parameters, and what stands after `let`, `var` and `const` in its body. */
function localsOf({ tokens, keyword, name }: Declaration): ReadonlySet<string> {
  const locals = new Set<string>([name]);
  if (keyword !== "fn") return locals;
  const open = indexOf(tokens, "(", 0);
  const end = closing(tokens, indexOf(tokens, name, 0) + 1);
  tokens.forEach(({ text }, i) => {
    const isParameter = i > open && i < end && textAt(tokens, i + 1) === ":";
    const before = textAt(tokens, i - 1);
    if (isName(text) && (isParameter || ["let", "var", "const"].includes(before))) locals.add(text);
  });
  return locals;
}

/** Names after `// provides:` or `// needs:` in the comment that a file opens with, which may go on over lines with an indent. */
export function listedNames(code: string, heading: "provides" | "needs"): string[] | undefined {
  const lines = code.split("\n");
  const at = lines.findIndex((line) => line.startsWith(`// ${heading}:`));
  if (at < 0) return undefined;
  let text = lines[at]!.slice(`// ${heading}:`.length);
  for (let i = at + 1; lines[i]!.startsWith("//   "); i++) text += lines[i]!.slice(2);
  return text.split(",").map((name) => name.trim());
}
