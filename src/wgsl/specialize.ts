/// <reference path="./wgsl.d.ts" />
import { FeaturemapError, show } from "../base/errors.ts";
import { type Constant, evaluate } from "./expression.ts";
import {
  closing,
  constantsOf,
  type Declaration,
  declarationsOf,
  indexOf,
  listed,
  moduleText,
  remembered,
  scalarOf,
  textAt,
} from "./module.ts";
import { type Token, textOf, tokensOf, UNROLL } from "./tokens.ts";

/** WGSL file. A library file that serves several buffers has names to replace. */
export interface Source {
  readonly code: string;
  /** Names to replace: `{ operand: "x" }` turns `operand` into `x` and `load_operand` into `load_x`. */
  readonly rename?: Readonly<Record<string, string>>;
  /** Values of constants. The values that are given to `specialize` win over them. */
  readonly given?: Values;
}

type Values = Readonly<Record<string, Constant>>;

/** Access of a shader to a buffer. All buffers are storage buffers. */
export type Access = "read" | "write";

export type Triple = readonly [number, number, number];

export interface Specialized {
  /** Text that runs. It is also the key of the pipeline cache. */
  readonly code: string;
  readonly entryPoint: string;
  /** Invocations along x, y and z. */
  readonly workgroupSize: Triple;
  /** Bindings, in the order of their numbers. */
  readonly bindings: readonly { readonly name: string; readonly access: Access }[];
}

/**
 * Makes the text of one pipeline out of readable WGSL files. Each step works on tokens:
 *
 * 1. renames the `operand` of a library file: `load_operand(i)` becomes `load_x(i)`;
 * 2. sets constants: of `{ N: 4 }`, `const N: u32 = 1u;` and `override N: u32;` become `const N: u32 = 4u;`;
 * 3. writes out each loop marked `// unroll`, since neither Tint nor Naga does and an array indexed by a loop variable spills to
 *    memory: `for (var i = 0u; i < 2u; i++) { f(i); }` becomes `{ f(0u); } { f(1u); }`;
 * 4. keeps one branch of each `if` whose condition holds only constants: `if (N == 4u) { a(); } else { b(); }` becomes `{ a(); }`;
 * 5. drops functions, bindings and workgroup variables that the entry point no longer needs;
 * 6. numbers the bindings that are left: `@binding(0)` of the second becomes `@binding(1)`.
 *
 * @throws FeaturemapError `value` if the text does not declare a name of `values` or of a source's `given` as a scalar constant, if a
 *   value is not of its constant's type, if an `override` has no value, or if the text is not as the steps above need it
 */
export function specialize(sources: readonly Source[], values: Values): Specialized {
  // The layers of a network often have the same kernels with the same constants.
  const key = JSON.stringify([
    sources.map(({ code, rename, given }) => [code, keyOf(rename), keyOf(given)]),
    keyOf(values),
  ]);
  const made = remembered(MADE, key, () => specialized(sources, values));
  return { ...made, workgroupSize: [...made.workgroupSize], bindings: [...made.bindings] };
}

/** Makes a key of values. An object is no valid value, and not looked into. */
function keyOf(values: object = {}): string[][] {
  return Object.entries(values).map(([name, value]) => [
    name,
    typeof value,
    Object(value) === value ? "" : String(value),
  ]);
}

const MADE = /* @__PURE__ */ new Map<string, Specialized>();

function specialized(sources: readonly Source[], values: Values): Specialized {
  const given: Values = Object.assign({}, ...sources.map((source) => source.given), values);
  const module = setConstants(declarationsOf(sources.flatMap(renamed)), given);
  const constants = constantsOf(module);
  const short = module.map((declaration) => {
    if (declaration.keyword !== "fn") return declaration;
    return { ...declaration, tokens: withoutBranches(unrolled(declaration.tokens, constants), constants) };
  });
  return numbered(withoutUnused(directivesFirst(short)), constants);
}

function renamed({ code, rename = {} }: Source): readonly Token[] {
  // A name also changes inside a longer one: `load_operand` belongs to `operand`.
  const names = Object.entries(rename).map(
    ([from, to]) => [new RegExp(`(?<![a-zA-Z0-9])${from}(?![a-zA-Z0-9])`, "g"), to] as const,
  );
  const tokens = tokensOf(code).map(({ gap, text }) => {
    return { gap, text: names.reduce((name, [from, to]) => name.replace(from, to), text) };
  });
  return tokens.filter(({ text }) => text !== "");
}

function setConstants(module: readonly Declaration[], values: Values): Declaration[] {
  const scalars = module.filter(scalarOf).map(({ name }) => name);
  const unknown = Object.keys(values).find((name) => !scalars.includes(name));
  if (unknown !== undefined) {
    const has = scalars.join(", ") || "none";
    throw new FeaturemapError(
      "value",
      `The shader has no constant "const ${unknown}: type = value;" or "override ${unknown}: type;" to set. It has: ${has}.`,
    );
  }
  return module.flatMap((declaration) => {
    const { name } = declaration;
    const scalar = scalarOf(declaration);
    if (!scalar || (scalar.initialiser.length > 0 && !Object.hasOwn(values, name))) return declaration;
    return declarationsOf(tokensOf(constant(name, values[name]!, scalar.type)));
  });
}

function constant(name: string, value: Constant, type: string): string {
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

/** Evaluates an expression that must be known before the shader runs. */
function known(expression: readonly Token[], constants: ReadonlyMap<string, Constant>): number {
  const value = evaluate(expression, constants);
  if (value !== undefined) return Number(value);
  throw new FeaturemapError(
    "value",
    `"${textOf(expression).trim()}" in the shader is not made of its constants: loops to unroll and workgroup sizes want that.`,
  );
}

function unrolled(tokens: readonly Token[], constants: ReadonlyMap<string, Constant>): Token[] {
  const result: Token[] = [];
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i]!.text !== UNROLL) {
      result.push(tokens[i]!);
      continue;
    }
    const open = indexOf(tokens, "{", i);
    const header = tokens.slice(i + 1, open);
    const variable = textAt(header, 3);
    const first = indexOf(header, ";", 0);
    const second = indexOf(header, ";", first + 1);
    const [from, to] = [header.slice(5, first), header.slice(first + 3, second)];
    const wanted = ["for(var", variable, "=", from, ";", variable, "<", to, ";", variable, "++)"];
    const text = (part: readonly Token[]) => part.map((token) => token.text).join("");
    if (text(header) !== wanted.map((part) => (typeof part === "string" ? part : text(part))).join("")) {
      const got = textOf(header).trim().slice(0, 60);
      throw new FeaturemapError("value", `"${UNROLL}" wants "for (var i = a; i < b; i++) {" after it, got "${got}".`);
    }
    const end = closing(tokens, open);
    const body = tokens.slice(open, end);
    for (let n = known(from, constants); n < known(to, constants); n++) {
      const copy = body.map((token, at) => {
        if (at === 0) return { gap: "\n", text: "{" };
        const isVariable = token.text === variable && body[at - 1]!.text !== ".";
        return isVariable ? { gap: token.gap, text: `${n}u` } : token;
      });
      for (const token of unrolled(copy, constants)) result.push(token);
    }
    i = end - 1;
  }
  return result;
}

function withoutBranches(tokens: readonly Token[], constants: ReadonlyMap<string, Constant>): Token[] {
  const result: Token[] = [];
  /** Branches that are not taken: their beginnings, and the places that follow them. */
  const skips = new Map<number, number>();
  let gap: string | undefined;
  for (let i = 0; i < tokens.length; ) {
    const token = tokens[i]!;
    const open = token.text === "if" ? indexOf(tokens, "{", i) : i;
    const holds = open > i && !skips.has(i) ? evaluate(tokens.slice(i + 1, open), constants) : undefined;
    if (skips.has(i)) {
      i = skips.get(i)!;
    } else if (holds === undefined) {
      result.push(gap === undefined ? token : { ...token, gap });
      gap = undefined;
      i++;
    } else {
      gap ??= token.gap;
      const end = closing(tokens, open);
      const after = afterElse(tokens, end);
      if (holds && after > end) skips.set(end, after);
      if (!holds && after === end && result.at(-1)?.text === "else") result.push(...tokensOf(" {}"));
      i = holds ? open : after > end ? end + 1 : end;
    }
  }
  return result;
}

/** Finds the place after the branches that begin with `else` at a place. */
function afterElse(tokens: readonly Token[], from: number): number {
  let i = from;
  while (textAt(tokens, i) === "else") i = closing(tokens, indexOf(tokens, "{", i));
  return i;
}

function directivesFirst(module: readonly Declaration[]): Declaration[] {
  const isDirective = ({ keyword }: Declaration) => ["enable", "requires", "diagnostic"].includes(keyword);
  const directives = new Map(module.filter(isDirective).map((it) => [moduleText([it]), it]));
  return [...directives.values(), ...module.filter((it) => !isDirective(it))];
}

function withoutUnused(module: readonly Declaration[]): Declaration[] {
  const mayGo = ({ keyword, attributes, template }: Declaration) =>
    keyword === "fn" ? !attributes.has("compute") : attributes.has("binding") || template[0] === "workgroup";
  const unused = new Map(module.filter(mayGo).map((it) => [it.name, it]));
  const used = module.filter((it) => !mayGo(it));
  // The list grows while it is walked: declarations that are found to be used are looked through in turn.
  for (const { tokens } of used) {
    tokens.forEach(({ text }, i) => {
      const declaration = textAt(tokens, i - 1) === "." ? undefined : unused.get(text);
      if (!declaration) return;
      unused.delete(text);
      used.push(declaration);
    });
  }
  const gone = new Set(unused.values());
  return module.filter((it) => !gone.has(it));
}

function numbered(module: readonly Declaration[], constants: ReadonlyMap<string, Constant>): Specialized {
  const bindings: { name: string; access: Access }[] = [];
  const declarations = module.map((declaration): Declaration => {
    const { attributes, template, name, tokens } = declaration;
    const number = attributes.get("binding");
    if (!number) return declaration;
    const [space, mode = "read"] = template;
    if (textOf(attributes.get("group") ?? []) !== "0" || space !== "storage" || !/^read(_write)?$/.test(mode)) {
      const got = moduleText([declaration]);
      throw new FeaturemapError("value", `The shader's binding "${got}" must be of group 0 and a var of storage.`);
    }
    const own = { gap: "", text: String(bindings.length) };
    bindings.push({ name, access: mode === "read" ? "read" : "write" });
    return {
      ...declaration,
      tokens: tokens.flatMap((token) => (!number.includes(token) ? token : token === number[0] ? own : [])),
    };
  });
  const entry = module.find(({ attributes }) => attributes.has("compute"));
  const size = entry?.attributes.get("workgroup_size");
  if (!entry || !size) {
    throw new FeaturemapError("value", "The shader has no @compute entry point with a @workgroup_size.");
  }
  const [x, y = 1, z = 1] = listed(size).map((part) => known(part, constants));
  return { code: moduleText(declarations), entryPoint: entry.name, workgroupSize: [x!, y, z], bindings };
}
