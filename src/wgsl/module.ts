import { FeaturemapError } from "../base/errors.ts";
import { type Constant, evaluate } from "./expression.ts";
import { type Token, textOf, tokensOf } from "./tokens.ts";

/** Declaration or directive of a module, with its tokens. */
export interface Declaration {
  readonly tokens: readonly Token[];
  /** Tokens in the parentheses of each attribute. */
  readonly attributes: ReadonlyMap<string, readonly Token[]>;
  /** Keyword: `fn`, `const`, `override`, `var`, `struct`, `alias`, `enable` and so on. */
  readonly keyword: string;
  /** Address space and access mode of a `var`. */
  readonly template: readonly string[];
  readonly name: string;
}

/**
 * Splits a module's tokens after each `;` and `}` outside of brackets.
 *
 * @throws FeaturemapError `value` where the last declaration has no end
 */
export function declarationsOf(tokens: readonly Token[]): Declaration[] {
  const declarations: Declaration[] = [];
  let depth = 0;
  let from = 0;
  tokens.forEach(({ text }, i) => {
    if ("({[".includes(text)) depth++;
    else if (")}]".includes(text)) depth--;
    if (depth === 0 && ";}".includes(text)) {
      declarations.push(declarationOf(tokens.slice(from, i + 1)));
      from = i + 1;
    }
  });
  if (from === tokens.length) return declarations;
  const rest = textOf(tokens.slice(from)).trim().slice(0, 60);
  throw new FeaturemapError("value", `A brace or semicolon is missing in the shader after "${rest}".`);
}

function declarationOf(tokens: readonly Token[]): Declaration {
  const attributes = new Map<string, readonly Token[]>();
  let at = 0;
  while (textAt(tokens, at) === "@") {
    const open = at + 2;
    const end = textAt(tokens, open) === "(" ? closing(tokens, open) : open;
    attributes.set(textAt(tokens, at + 1), tokens.slice(open + 1, end - 1));
    at = end;
  }
  const keyword = textAt(tokens, at++);
  const from = at;
  if (textAt(tokens, at) === "<") at = indexOf(tokens, ">", at) + 1;
  const template = tokens.slice(from, at).flatMap(({ text }) => ("<,>".includes(text) ? [] : text));
  return { tokens, attributes, keyword, template, name: textAt(tokens, at) };
}

/** Gives the text of a token; it is empty if there is none. */
export function textAt(tokens: readonly Token[], i: number): string {
  return tokens[i]?.text ?? "";
}

/** Finds the first such token from a place on; gives the end of the tokens if there is none. */
export function indexOf(tokens: readonly Token[], text: string, from: number): number {
  let i = from;
  while (i < tokens.length && tokens[i]!.text !== text) i++;
  return i;
}

/** Finds the place after the bracket that closes the one at `open`. */
export function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  let i = open;
  do {
    const text = textAt(tokens, i++);
    if ("({[".includes(text)) depth++;
    else if (")}]".includes(text)) depth--;
  } while (depth > 0 && i < tokens.length);
  return i;
}

/** Splits a list at its commas. */
export function listed(tokens: readonly Token[]): (readonly Token[])[] {
  const parts: (readonly Token[])[] = [];
  for (let from = 0; from < tokens.length; ) {
    const end = indexOf(tokens, ",", from);
    parts.push(tokens.slice(from, end));
    from = end + 1;
  }
  return parts;
}

const SCALARS = ["u32", "i32", "f32", "bool"];

/** Gives type and initialiser of a scalar constant, `undefined` for other declarations. An `override` may have an empty initialiser. */
export function scalarOf({
  tokens,
  keyword,
}: Declaration): { type: string; initialiser: readonly Token[] } | undefined {
  const type = textAt(tokens, 3);
  const isScalar = textAt(tokens, 2) === ":" && SCALARS.includes(type) && "=;".includes(textAt(tokens, 4));
  if (!isScalar || !["const", "override"].includes(keyword)) return undefined;
  return { type, initialiser: tokens.slice(5, -1) };
}

/** Evaluates the scalar constants, which WGSL allows in any order. Other constants are left to WGSL. */
export function constantsOf(declarations: readonly Declaration[]): Map<string, Constant> {
  const constants = new Map<string, Constant>();
  const scalars = declarations.filter(scalarOf);
  for (let before = -1; before !== constants.size; ) {
    before = constants.size;
    for (const declaration of scalars) {
      const value = evaluate(scalarOf(declaration)!.initialiser, constants);
      if (value !== undefined) constants.set(declaration.name, value);
    }
  }
  return constants;
}

/** Prints declarations, each on lines of its own. */
export function moduleText(declarations: readonly Declaration[]): string {
  return declarations.map(({ tokens }) => textOf(tokens).trim()).join("\n");
}

/** Gives the value of a key. Those of the latest keys are remembered. */
export function remembered<Value>(known: Map<string, Value>, key: string, make: () => Value): Value {
  let value = known.get(key);
  if (value === undefined) {
    value = make();
    if (known.size === MAX_REMEMBERED) known.delete(known.keys().next().value!);
    known.set(key, value);
  }
  return value;
}

const MAX_REMEMBERED = 64;

const MODULES = /* @__PURE__ */ new Map<string, readonly Declaration[]>();

/** Gives the declarations of a module's text. Layers often have the same kernels, so the latest are remembered. */
export function moduleOf(code: string): readonly Declaration[] {
  return remembered(MODULES, code, () => declarationsOf(tokensOf(code)));
}
