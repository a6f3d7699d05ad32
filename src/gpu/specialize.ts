/// <reference path="../wgsl.d.ts" />
import { FeaturemapError } from "../errors.ts";
import { type Constant, evaluate } from "./expression.ts";

/** A WGSL file, with names replaced by others where it is a library file used for one of several buffers. */
export interface Source {
  readonly code: string;
  /** `{ operand: "x" }` turns `operand` into `x` and `load_operand` into `load_x`. */
  readonly rename?: Readonly<Record<string, string>>;
  /** Constants of type u32 or bool that are declared before it, whether it needs them all or not. */
  readonly given?: Readonly<Record<string, Constant>>;
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
 * 1. drops comments, and sets constants: a named `const` gets another initialiser, and a name that the text has but does not
 *    declare becomes a constant, of type u32 or bool; throws on a name that is not there;
 * 2. unrolls each loop marked `// unroll`, since neither Tint nor Naga unrolls and an array indexed by a loop variable
 *    spills to memory;
 * 3. keeps one branch of each `if` whose condition holds only constants;
 * 4. drops functions and bindings that nothing uses any more, and numbers the bindings that are left.
 */
export function specialize(sources: readonly Source[], values: Readonly<Record<string, Constant>>): Specialized {
  let code = hoistDirectives(setConstants(sources.map(textOf).join("\n").replace(COMMENT, ""), values));
  const constants = readConstants(code);
  code = unrollLoops(code, constants);
  code = pruneBranches(code, constants);
  return numberBindings(dropUnused(code), constants);
}

/** All but the marks of loops to unroll. */
const COMMENT = /\/\*[\s\S]*?\*\/|\/\/(?! unroll).*/g;

function textOf({ code, rename = {}, given = {} }: Source): string {
  const text = Object.entries(rename).reduce(
    // A name also changes inside a longer one: `load_operand` belongs to `operand`.
    (text, [from, to]) => text.replace(new RegExp(`(?<![a-zA-Z0-9])${from}(?![a-zA-Z0-9])`, "g"), to),
    code,
  );
  return [...Object.entries(given).map(declaration), text].join("\n");
}

function declaration([name, value]: [string, Constant]): string {
  const type = typeof value === "boolean" ? "bool" : "u32";
  return `const ${name}: ${type} = ${literal(name, value, type)};`;
}

function hoistDirectives(code: string): string {
  const directive = /^\s*(?:enable\s|requires\s|diagnostic\s*\()[^;]*;\n?/gm;
  const directives = new Set(code.match(directive)?.map((line) => line.trim()));
  return [...directives, code.replace(directive, "")].join("\n");
}

/** The declaration of a scalar constant: all before its initialiser, its name, its type, its initialiser. */
const CONSTANT = /^(const (\w+): ?(u32|i32|f32|bool) ?= ?)([^;]*);/gm;

function setConstants(code: string, values: Readonly<Record<string, Constant>>): string {
  const declared = [...code.matchAll(CONSTANT)].map(([, , name]) => name!);
  const others = Object.entries(values).filter(([name]) => !declared.includes(name));
  const unknown = others.find(([name]) => !word(name).test(code));
  if (unknown) {
    const has = declared.join(", ") || "none";
    throw new FeaturemapError("value", `The shader has no constant ${unknown[0]} to set. It declares: ${has}.`);
  }
  const set = code.replace(CONSTANT, (declaration, head: string, name: string, type: string) =>
    name in values ? `${head}${literal(name, values[name]!, type)};` : declaration,
  );
  return [...others.map(declaration), set].join("\n");
}

function literal(name: string, value: Constant, type: string): string {
  const valid =
    type === "bool"
      ? typeof value === "boolean"
      : type === "f32"
        ? Number.isFinite(value)
        : Number.isInteger(value) && (type === "i32" || Number(value) >= 0);
  const text = String(value);
  if (!valid) throw new FeaturemapError("value", `The shader constant ${name} is of type ${type}, got ${text}.`);
  if (type === "bool") return text;
  return `${text}${type === "f32" && !/[.e]/.test(text) ? ".0" : ""}${type[0]}`;
}

/** The scalar constants, in whatever order they stand, as WGSL allows. What is not a scalar is left to WGSL. */
export function readConstants(code: string): Map<string, Constant> {
  const constants = new Map<string, Constant>();
  for (let before = -1; before !== constants.size; ) {
    before = constants.size;
    for (const [, , name, , initialiser] of code.matchAll(CONSTANT)) {
      const value = evaluate(initialiser!, constants);
      if (value !== undefined) constants.set(name!, value);
    }
  }
  return constants;
}

/** The value of an expression that must be known before the shader runs. */
function known(expression: string, constants: ReadonlyMap<string, Constant>): number {
  const value = evaluate(expression, constants);
  if (value === undefined) {
    throw new FeaturemapError(
      "value",
      `"${expression}" in the shader is not made of its constants: loops to unroll and workgroup sizes want that.`,
    );
  }
  return Number(value);
}

const MARKED_LOOP = /\/\/ unroll\s+for ?\(var (\w+) ?= ?([^;]+); ?\1 ?< ?([^;]+); ?\1\+\+\) ?\{/;

function unrollLoops(code: string, constants: ReadonlyMap<string, Constant>): string {
  let text = code;
  for (let match = MARKED_LOOP.exec(text); match; match = MARKED_LOOP.exec(text)) {
    const [header, variable, from, to] = match;
    const end = blockEnd(text, match.index);
    const body = text.slice(match.index + header.length - 1, end);
    const copies: string[] = [];
    for (let i = known(from!, constants); i < known(to!, constants); i++) {
      copies.push(body.replace(word(variable!), `${i}u`));
    }
    text = text.slice(0, match.index) + copies.join("\n") + text.slice(end);
  }
  return text;
}

function pruneBranches(code: string, constants: ReadonlyMap<string, Constant>): string {
  let text = code;
  const condition = /\bif ?\(([^{}]*)\) ?\{/g;
  for (let match = condition.exec(text); match; match = condition.exec(text)) {
    const holds = evaluate(match[1]!, constants);
    if (holds === undefined) {
      condition.lastIndex = match.index + 2;
      continue;
    }
    const before = text.slice(0, match.index);
    const end = blockEnd(text, match.index);
    const after = text.slice(end);
    if (holds) text = before + text.slice(match.index + match[0].length - 1, end) + withoutElse(after);
    else if (ELSE.test(after)) text = before + after.replace(ELSE, "");
    else text = before + (/\belse\s*$/.test(before) ? "{}" : "") + after;
    condition.lastIndex = match.index;
  }
  return text;
}

const ELSE = /^\s*else\s*/;

/** What follows a branch, without the branches that are then not taken. */
function withoutElse(text: string): string {
  return ELSE.test(text) ? withoutElse(text.slice(blockEnd(text, 0))) : text;
}

/** Where the first block from a place on is over. */
function blockEnd(text: string, from: number): number {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    if (text[i] === "{") depth++;
    else if (text[i] === "}" && --depth === 0) return i + 1;
  }
  throw new FeaturemapError("value", "A brace in the shader is not closed.");
}

/** Where a name occurs; `.x` is a member and not the name x. */
function word(name: string): RegExp {
  return new RegExp(`(?<![.\\w])${name}\\b`, "g");
}

/** The beginning of a function: its attributes and name. */
const FUNCTION = /^((?:@\w+(?:\([^)]*\))?\s*)*)fn (\w+)\(/gm;
/** A binding's declaration: its mode, name and type. */
export const BINDING =
  /^[ \t]*@group\(0\)\s*@binding\(\d+\)\s*var<\s*storage\s*(?:,\s*(read|read_write)\s*)?>\s*(\w+)\s*:([^;]*);/gm;
/** The entry point: its workgroup's size, name and parameters. */
export const ENTRY = /@compute @workgroup_size\(([^)]*)\)\s*fn (\w+)\(((?:[^()]|\([^()]*\))*)\)/;

function dropUnused(code: string): string {
  const unused = [...code.matchAll(FUNCTION), ...code.matchAll(BINDING)].find(
    ([, attributes, name]) => !attributes?.includes("@compute") && code.match(word(name!))!.length === 1,
  );
  if (!unused) return code.replace(/\n{3,}/g, "\n\n");
  const [declaration] = unused;
  const end = unused.index + declaration.length;
  return dropUnused(code.slice(0, unused.index) + code.slice(declaration.endsWith(";") ? end : blockEnd(code, end)));
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
  const [x, y = 1, z = 1] = entry[1]!.split(",").map((size) => known(size, constants));
  return { code: numbered, entryPoint: entry[2]!, workgroupSize: [x!, y, z], bindings };
}
