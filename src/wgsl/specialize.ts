/// <reference path="./wgsl.d.ts" />
import { FeaturemapError, show } from "../base/errors.ts";
import { type Constant, evaluate } from "./expression.ts";

/** A WGSL file, with names replaced by others where it is a library file used for one of several buffers. */
export interface Source {
  readonly code: string;
  /** `{ operand: "x" }` turns `operand` into `x` and `load_operand` into `load_x`. */
  readonly rename?: Readonly<Record<string, string>>;
  /** Values of constants, set as `specialize`'s own are, which win; names that the text does not have are left out. */
  readonly given?: Values;
}

type Values = Readonly<Record<string, Constant>>;

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
 * 1. drops comments, and sets constants: a named `const` gets another initialiser, a named `override` becomes a `const`, and so
 *    does a name that the text uses and does not declare, of type u32 or bool;
 * 2. unrolls each loop marked `// unroll`, since neither Tint nor Naga unrolls and an array indexed by a loop variable
 *    spills to memory;
 * 3. keeps one branch of each `if` whose condition holds only constants;
 * 4. drops functions, bindings and workgroup variables that nothing uses any more, and numbers the bindings that are left.
 *
 * @throws FeaturemapError `value` where the text does not have a name of `values`, or declares it as something else; where a
 *   value is not of its constant's type, or an `override` has none; where the text is not as the steps above want it
 */
export function specialize(sources: readonly Source[], values: Values): Specialized {
  const text = sources.map(renamed).join("\n").replace(COMMENT, "");
  const given: Values = Object.assign({}, ...sources.map((source) => source.given));
  const code = hoistDirectives(setConstants(text, given, values));
  const { short, constants } = SHORTENED.get(code) ?? shortened(code);
  return numberBindings(short, constants);
}

interface Shortened {
  readonly short: string;
  readonly constants: ReadonlyMap<string, Constant>;
}

/** The layers of a network often have the same kernels with the same constants; the oldest text goes first. */
const SHORTENED = /* @__PURE__ */ new Map<string, Shortened>();
const MOST_SHORTENED = 64;

/** Steps 2 to 4, without the numbers. */
function shortened(code: string): Shortened {
  const constants = readConstants(code);
  const short = dropUnused(pruneBranches(unrollLoops(code, constants), constants));
  if (SHORTENED.size === MOST_SHORTENED) SHORTENED.delete(SHORTENED.keys().next().value!);
  SHORTENED.set(code, { short, constants });
  return { short, constants };
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
  const directives = new Set(code.match(directive)?.map((line) => line.trim()));
  return [...directives, code.replace(directive, "")].join("\n");
}

/** The declaration of a scalar constant: its name, its type, its initialiser, which an `override` may lack. */
const CONSTANT = /^(?:const|override)\s+(\w+)\s*:\s*(u32|i32|f32|bool)\s*=?\s*([^;]*);/gm;

function setConstants(code: string, given: Values, values: Values): string {
  const all = { ...given, ...values };
  const declared: string[] = [];
  const set = code.replace(CONSTANT, (declaration, name: string, type: string, initialiser: string) => {
    declared.push(name);
    return Object.hasOwn(all, name) || !initialiser ? constant(name, all[name]!, type) : declaration;
  });
  const others = Object.keys(all).filter((name) => !declared.includes(name));
  const open = others.filter((name) => word(name).test(code));
  const unknown = others.find((name) =>
    open.includes(name)
      ? new RegExp(`\\b(?:const|fn|let|override|var)\\s+${name}\\b`).test(code)
      : Object.hasOwn(values, name),
  );
  if (unknown) {
    const has = declared.join(", ") || "none";
    throw new FeaturemapError(
      "value",
      `The shader has no constant "const ${unknown}: type = value;" to set. It has: ${has}.`,
    );
  }
  return [...open.map((name) => constant(name, all[name]!)), set].join("\n");
}

function constant(name: string, value: Constant, type = typeof value === "boolean" ? "bool" : "u32"): string {
  const valid =
    type === "bool"
      ? typeof value === "boolean"
      : type === "f32"
        ? typeof value === "number" && Number.isFinite(Math.fround(value))
        : Number.isInteger(value) && (type === "i32" || Number(value) >= 0);
  if (!valid) throw new FeaturemapError("value", `The shader constant ${name} is of type ${type}, got ${show(value)}.`);
  const text = String(value);
  const suffix = type === "bool" ? "" : `${type === "f32" && !/[.e]/.test(text) ? ".0" : ""}${type[0]}`;
  return `const ${name}: ${type} = ${text}${suffix};`;
}

/** The scalar constants, in whatever order they stand, as WGSL allows. What is not a scalar is left to WGSL. */
export function readConstants(code: string): Map<string, Constant> {
  const constants = new Map<string, Constant>();
  for (let before = -1; before !== constants.size; ) {
    before = constants.size;
    for (const [, name, , initialiser] of code.matchAll(CONSTANT)) {
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
  let rest = text;
  while (ELSE.test(rest)) rest = rest.slice(blockEnd(rest, 0));
  return rest;
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
/** A workgroup variable's declaration. Its name is the second group, as in FUNCTION and BINDING. */
const WORKGROUP_VARIABLE = /^[ \t]*var<()workgroup>\s*(\w+)\s*:[^;]*;/gm;
/** The entry point: its workgroup's size, name and parameters. */
export const ENTRY = /@compute @workgroup_size\(([^)]*)\)\s*fn (\w+)\(((?:[^()]|\([^()]*\))*)\)/;

function dropUnused(text: string): string {
  for (let code = text; ; ) {
    const declared = [FUNCTION, BINDING, WORKGROUP_VARIABLE].flatMap((pattern) => [...code.matchAll(pattern)]);
    const unused = declared.find(
      ([, attributes, name]) => !attributes?.includes("@compute") && code.match(word(name!))!.length === 1,
    );
    if (!unused) return code.replace(/\n{3,}/g, "\n\n");
    const [declaration] = unused;
    const end = unused.index + declaration.length;
    code = code.slice(0, unused.index) + code.slice(declaration.endsWith(";") ? end : blockEnd(code, end));
  }
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
