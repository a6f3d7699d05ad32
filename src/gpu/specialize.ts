import { FeaturemapError } from "../errors.ts";
import { type Constant, evaluate, isConstant, names } from "./expression.ts";

/** A WGSL file, with names replaced by others where it is a library file used for one of several buffers. */
export interface Source {
  readonly code: string;
  /** `{ operand: "x" }` turns `operand` into `x` and `load_operand` into `load_x`. */
  readonly rename?: Readonly<Record<string, string>>;
}

/** How a shader uses a buffer; all of them are storage buffers. */
export type Access = "read" | "write";

export type Triple = readonly [number, number, number];

export interface Specialized {
  /** The text that runs. It is also the key of the pipeline cache. */
  readonly code: string;
  readonly entryPoint: string;
  /** Invocations along x, y and z. */
  readonly workgroupSize: Triple;
  /** In binding order: the place in the list is the binding number. */
  readonly bindings: readonly { readonly name: string; readonly access: Access }[];
}

/**
 * Makes the text of one pipeline out of readable WGSL files:
 *
 * 1. drops comments, and replaces the initialiser of each named `const`, and throws on a name that is not there;
 * 2. unrolls each loop marked `// unroll`, since neither Tint nor Naga unrolls and an array indexed by a loop variable
 *    spills to memory;
 * 3. keeps one branch of each `if` whose condition holds only constants;
 * 4. drops functions and bindings that nothing uses any more, and numbers the bindings that are left.
 */
export function specialize(sources: readonly Source[], values: Readonly<Record<string, Constant>>): Specialized {
  let code = setConstants(hoistDirectives(sources.map(renamed).join("\n").replace(COMMENT, "")), values);
  const constants = readConstants(code);
  code = unrollLoops(code, constants);
  code = pruneBranches(code, constants);
  return numberBindings(dropUnused(code), constants);
}

/** All but the marks of loops to unroll. */
const COMMENT = /\/\*[\s\S]*?\*\/|\/\/(?! unroll).*/g;

function renamed({ code, rename = {} }: Source): string {
  return Object.entries(rename).reduce(
    // A name also changes inside a longer one: `load_operand` belongs to `operand`.
    (text, [from, to]) => text.replace(new RegExp(`(?<![a-zA-Z0-9])${from}(?![a-zA-Z0-9])`, "g"), to),
    code,
  );
}

function hoistDirectives(code: string): string {
  const directive = /^\s*(?:enable\s|requires\s|diagnostic\s*\()[^;]*;\n?/gm;
  const directives = [...new Set(code.match(directive)?.map((line) => line.trim()) ?? [])];
  const rest = code.replace(directive, "");
  return [...directives, rest].join("\n");
}

function setConstants(code: string, values: Readonly<Record<string, Constant>>): string {
  let text = code;
  for (const [name, value] of Object.entries(values)) {
    const declaration = new RegExp(`^(const ${name}: ?(u32|i32|f32|bool) ?= ?)[^;]*;`, "m");
    const type = declaration.exec(text)?.[2];
    if (type === undefined) {
      const known = [...text.matchAll(/^const (\w+): ?(?:u32|i32|f32|bool) ?=/gm)].map((match) => match[1]);
      throw new FeaturemapError(
        "value",
        `The shader has no constant "const ${name}: type = value;" to set. It has: ${known.join(", ") || "none"}.`,
      );
    }
    text = text.replace(declaration, `$1${literal(name, value, type)};`);
  }
  return text;
}

function literal(name: string, value: Constant, type: string): string {
  const valid =
    type === "bool"
      ? typeof value === "boolean"
      : typeof value === "number" &&
        (type === "f32" ? Number.isFinite(value) : Number.isInteger(value) && (type === "i32" || value >= 0));
  if (!valid)
    throw new FeaturemapError("value", `The shader constant ${name} is of type ${type}, got ${String(value)}.`);
  if (type === "u32") return `${value}u`;
  if (type === "i32") return `${value}i`;
  if (type === "f32") return /[.e]/.test(String(value)) ? `${value}f` : `${value}.0f`;
  return String(value);
}

/** The scalar constants, in whatever order they stand, as WGSL allows. What is not a scalar is left to WGSL. */
export function readConstants(code: string): Map<string, Constant> {
  const constants = new Map<string, Constant>();
  const declared = [...code.matchAll(/^const (\w+): ?(?:u32|i32|f32|bool) ?= ?([^;]*);/gm)];
  for (let before = -1; before !== constants.size; ) {
    before = constants.size;
    for (const [, name, initialiser] of declared) {
      if (!constants.has(name!) && isConstant(initialiser!) && names(initialiser!).every((used) => constants.has(used)))
        constants.set(name!, evaluate(initialiser!, constants));
    }
  }
  return constants;
}

const MARKED_LOOP = /\/\/ unroll\s+for ?\(var (\w+) ?= ?([^;]+); ?\1 ?< ?([^;]+); ?\1\+\+\) ?\{/;

function unrollLoops(code: string, constants: ReadonlyMap<string, Constant>): string {
  let text = code;
  for (let match = MARKED_LOOP.exec(text); match; match = MARKED_LOOP.exec(text)) {
    const [header, variable, from, to] = match;
    const open = match.index + header.length - 1;
    const close = closingBrace(text, open);
    const body = text.slice(open, close + 1);
    const copies: string[] = [];
    for (let i = Number(evaluate(from!, constants)); i < Number(evaluate(to!, constants)); i++) {
      copies.push(body.replace(new RegExp(`(?<![.\\w])${variable}\\b`, "g"), `${i}u`));
    }
    text = text.slice(0, match.index) + copies.join("\n") + text.slice(close + 1);
  }
  return text;
}

function pruneBranches(code: string, constants: ReadonlyMap<string, Constant>): string {
  let text = code;
  const condition = /\bif ?\(([^{}]*)\) ?\{/g;
  for (let match = condition.exec(text); match; match = condition.exec(text)) {
    const expression = match[1]!;
    if (!names(expression).every((name) => constants.has(name))) {
      condition.lastIndex = match.index + 2;
      continue;
    }
    const open = match.index + match[0].length - 1;
    const close = closingBrace(text, open);
    const rest = /^\s*else\s*/.exec(text.slice(close + 1));
    const elseStart = close + 1 + (rest?.[0].length ?? 0);
    const elseEnd = rest ? branchEnd(text, elseStart) : close;
    const before = text.slice(0, match.index);
    const none = /\belse\s*$/.test(before) ? "{}" : "";
    const otherwise = rest ? text.slice(elseStart, elseEnd + 1) : none;
    const kept = evaluate(expression, constants) ? text.slice(open, close + 1) : otherwise;
    text = before + kept + text.slice(elseEnd + 1);
    condition.lastIndex = match.index;
  }
  return text;
}

/** The last character of the `{...}` or `if ... else ...` that starts at `start`. */
function branchEnd(text: string, start: number): number {
  let end = closingBrace(text, text.indexOf("{", start));
  for (let more = /^\s*else\s*/.exec(text.slice(end + 1)); text.startsWith("if", start) && more; ) {
    end = closingBrace(text, text.indexOf("{", end));
    more = /^\s*else\s*/.exec(text.slice(end + 1));
  }
  return end;
}

function closingBrace(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === "{") depth++;
    else if (text[i] === "}" && --depth === 0) return i;
  }
  throw new FeaturemapError("value", "A brace in the shader is not closed.");
}

const FUNCTION = /^(?:@\w+(?:\([^)]*\))?\s*)*fn (\w+)\(/gm;
/** A binding's declaration: its mode, name and type. */
export const BINDING =
  /^[ \t]*@group\(0\)\s*@binding\(\d+\)\s*var<\s*storage\s*(?:,\s*(read|read_write)\s*)?>\s*(\w+)\s*:([^;]*);/gm;
/** The entry point: its workgroup's size, name and parameters. */
export const ENTRY = /@compute @workgroup_size\(([^)]*)\)\s*fn (\w+)\(((?:[^()]|\([^()]*\))*)\)/;

function dropUnused(code: string): string {
  let text = code;
  for (let changed = true; changed; ) {
    changed = false;
    for (const match of text.matchAll(FUNCTION)) {
      if (match[0].includes("@compute") || mentions(text, match[1]!) > 1) continue;
      const close = closingBrace(text, text.indexOf("{", match.index + match[0].length));
      text = text.slice(0, match.index) + text.slice(close + 1);
      changed = true;
      break;
    }
    for (const [declaration, , name] of changed ? [] : text.matchAll(BINDING)) {
      if (mentions(text, name!) > 1) continue;
      text = text.replace(declaration, "");
      changed = true;
    }
  }
  return text.replace(/\n{3,}/g, "\n\n");
}

/** How often a name occurs, its declaration included; `.x` is a member and not the name x. */
function mentions(text: string, name: string): number {
  return text.match(new RegExp(`(?<![.\\w])${name}\\b`, "g"))?.length ?? 0;
}

function numberBindings(code: string, constants: ReadonlyMap<string, Constant>): Specialized {
  const bindings: { name: string; access: Access }[] = [];
  const unread = /^.*@binding\(.*$/m.exec(code.replace(BINDING, ""));
  if (unread) {
    const wanted = "begin its line with group 0, then its number, then a var of storage";
    throw new FeaturemapError("value", `The shader's binding "${unread[0].trim()}" must ${wanted}.`);
  }
  const numbered = code.replace(BINDING, (declaration, mode: string | undefined, name: string) => {
    bindings.push({ name, access: mode === "read_write" ? "write" : "read" });
    return declaration.replace(/@binding\(\d+\)/, `@binding(${bindings.length - 1})`);
  });
  const entry = ENTRY.exec(numbered);
  if (!entry) throw new FeaturemapError("value", "The shader has no @compute entry point with a @workgroup_size.");
  const [x, y = 1, z = 1] = entry[1]!.split(",").map((size) => Number(evaluate(size, constants)));
  return { code: numbered, entryPoint: entry[2]!, workgroupSize: [x!, y, z], bindings };
}
