import mergedSource from "../../shaders/lib/merged.wgsl";
import rangeSource from "../../shaders/lib/merged_part.wgsl";
import { evaluate } from "./expression.ts";
import type { Dispatch } from "./kernel.ts";
import { closing, constantsOf, type Declaration, indexOf, listed, moduleOf, moduleText, textAt } from "./module.ts";
import { type Access, type Source, specialize, type Triple } from "./specialize.ts";
import { type Token, textOf, tokensOf } from "./tokens.ts";

/** Part of a merged dispatch: a dispatch that can share one with others, and what that takes. */
export interface MergePart<Value> {
  readonly dispatch: Dispatch<Value>;
  readonly bindings: readonly MergePartBinding<Value>[];
  /** Bytes of its workgroup variables; infinite where they are of a type that is not counted here. */
  readonly workgroupBytes: number;
  /** Whether it has barriers or subgroup operations, so that all invocations of a workgroup must run. */
  readonly needsWholeWorkgroups: boolean;
  /** Builtins that its entry point takes, in order. */
  readonly builtins: readonly string[];
}

interface MergePartBinding<Value> {
  readonly name: string;
  readonly access: Access;
  /** Type of the variable, with declarations in place of the names that the module declares. */
  readonly type: string;
  readonly value: Value;
}

/** Builtins that `shaders/lib/merged_part.wgsl` can hand on. */
const BUILTINS = [
  "workgroup_id",
  "local_invocation_id",
  "local_invocation_index",
  "global_invocation_id",
  "num_workgroups",
];

const WHOLE_WORKGROUPS = /^(?:\w+Barrier|workgroupUniformLoad|subgroup\w+|quad\w+)$/;

/** Reads a dispatch as a part of a merged one. Gives `undefined` if its entry point takes a builtin that cannot be made there. */
export function mergePartOf<Value>(dispatch: Dispatch<Value>): MergePart<Value> | undefined {
  const { code, bindings } = dispatch.shader;
  const module = moduleOf(code);
  const { tokens } = module.find(isEntry)!;
  const open = parametersOf(tokens);
  const builtins = listed(tokens.slice(open + 1, closing(tokens, open) - 1)).map((parameter) =>
    textAt(parameter, 1) === "builtin" ? textAt(parameter, 3) : "",
  );
  if (!builtins.every((builtin) => BUILTINS.includes(builtin))) return undefined;
  const declared = named(module);
  return {
    dispatch,
    bindings: bindings.map(({ name, access }) => {
      return { name, access, type: resolved(typeOf(declared.get(name)!), declared), value: dispatch.bind[name]! };
    }),
    workgroupBytes: workgroupBytes(code),
    needsWholeWorkgroups: module.some(({ tokens }) =>
      tokens.some(({ text }, i) => WHOLE_WORKGROUPS.test(text) && textAt(tokens, i + 1) === "("),
    ),
    builtins,
  };
}

const isEntry = ({ attributes }: Declaration) => attributes.has("compute");

/** Finds the parenthesis that opens a function's parameters. */
function parametersOf(tokens: readonly Token[]): number {
  return indexOf(tokens, "(", indexOf(tokens, "fn", 0));
}

const named = (module: readonly Declaration[]) => new Map(module.map((it) => [it.name, it]));

/** Gives the tokens of a variable's type. */
function typeOf({ tokens }: Declaration): readonly Token[] {
  return tokens.slice(indexOf(tokens, ":", 0) + 1, -1);
}

/** Replaces names by their declarations, so that texts of two modules can be compared. */
function resolved(tokens: readonly Token[], declared: ReadonlyMap<string, Declaration>): string {
  const texts = tokens.map(({ text }, i) => {
    const declaration = textAt(tokens, i + 1) === ":" ? undefined : declared.get(text);
    if (!declaration) return text;
    const others = new Map(declared);
    others.delete(text);
    return resolved(declaration.tokens, others);
  });
  return texts.join(" ");
}

const SCALAR_BYTES: ReadonlyMap<string, number> = /* @__PURE__ */ new Map([
  ["f", 4],
  ["f32", 4],
  ["u", 4],
  ["u32", 4],
  ["i", 4],
  ["i32", 4],
  ["h", 2],
  ["f16", 2],
]);

/** Counts the bytes of a shader's workgroup variables. It is infinite if one is of a type that is not counted here. */
export function workgroupBytes(code: string): number {
  const module = moduleOf(code);
  const constants = constantsOf(module);
  const aliases = new Map(
    module.filter(({ keyword }) => keyword === "alias").map((it) => [it.name, it.tokens.slice(3, -1)]),
  );
  const bytesOf = (type: readonly Token[]): number => {
    const aliased = aliases.get(textAt(type, 0));
    if (aliased) return bytesOf(aliased);
    if (textAt(type, 0) === "array") {
      const comma = type.map(({ text }) => text).lastIndexOf(",");
      const count = evaluate(type.slice(comma + 1, -1), constants) ?? Number.POSITIVE_INFINITY;
      return bytesOf(type.slice(2, comma)) * Number(count);
    }
    const text = type.map((token) => token.text).join("");
    const [, columns = 1, rows = 1, scalar = ""] = /^(?:(?:mat([234])x|vec)([234]))?<?(\w+?)>?$/.exec(text) ?? [];
    return (SCALAR_BYTES.get(scalar) ?? Number.POSITIVE_INFINITY) * Number(columns) * (rows === "3" ? 4 : Number(rows));
  };
  const variables = module.filter(({ template }) => template[0] === "workgroup");
  return variables.reduce((sum, variable) => sum + bytesOf(typeOf(variable)), 0);
}

/** Gives the bindings of a merged dispatch: each buffer once for each access and type that parts have of it. */
export function mergedBindings<Value>(parts: readonly MergePart<Value>[]): MergePartBinding<Value>[] {
  const merged: MergePartBinding<Value>[] = [];
  parts.forEach(({ bindings }, i) => {
    for (const binding of bindings) {
      if (!merged.some((known) => isSame(known, binding))) merged.push({ ...binding, name: partName(i, binding.name) });
    }
  });
  return merged;
}

function isSame<Value>(a: MergePartBinding<Value>, b: MergePartBinding<Value>): boolean {
  return a.value === b.value && a.access === b.access && a.type === b.type;
}

function partName(part: number, name: string): string {
  return `part${part + 1}_${name}`;
}

/**
 * Merges several dispatches into one, in no order among them. Each part has a range of the workgroups, which lie in rows of at most
 * `maxGroups`. Declarations of a part get a prefix, and its entry point becomes a function:
 * `@compute @workgroup_size(64) fn add(@builtin(workgroup_id) group: vec3u)` becomes `fn part1_add(group: vec3u)`. A struct that several
 * parts declare alike is declared once, as the first part has it.
 */
export function mergeParts<Value>(parts: readonly MergePart<Value>[], maxGroups: number): Dispatch<Value> {
  const bindings = mergedBindings(parts);
  const total = parts.reduce((sum, { dispatch }) => sum + product(dispatch.workgroups), 0);
  const row = Math.min(total, maxGroups);
  const constants: Record<string, number> = {
    LANES: Math.max(...parts.map(({ dispatch }) => product(dispatch.shader.workgroupSize))),
    ROW: row,
  };
  let first = 0;
  const ranges = parts.map(({ dispatch, builtins }, i): Source => {
    const range = `range${i + 1}`;
    constants[`${range}_FIRST`] = first;
    first += product(dispatch.workgroups);
    ["X", "Y", "Z"].forEach((axis, at) => {
      constants[`${range}_GROUPS_${axis}`] = dispatch.workgroups[at]!;
      constants[`${range}_SIZE_${axis}`] = dispatch.shader.workgroupSize[at]!;
    });
    const entry = partName(i, dispatch.shader.entryPoint);
    return { ...rangeSource, rename: { range, entry, builtins: builtins.join(", ") } };
  });
  const entryPoint = parts.map(({ dispatch }) => dispatch.shader.entryPoint).join("_and_");
  const structs = new Map<string, string>();
  return {
    kernel: parts.map(({ dispatch }) => dispatch.kernel).join(" + "),
    shader: specialize(
      [
        { code: callingRanges(parts.length), rename: { merged: entryPoint } },
        ...parts.flatMap((part, i) => [ranges[i]!, { code: partText(part, i, bindings, structs) }]),
      ],
      constants,
    ),
    bind: Object.fromEntries(bindings.map(({ name, value }) => [name, value])),
    workgroups: [row, Math.ceil(total / row), 1],
  };
}

/** Makes the text of `shaders/lib/merged.wgsl`. Its `run(group, lane);` becomes a call for each range: `range1_run(group, lane);`. */
function callingRanges(count: number): string {
  const tokens = tokensOf(mergedSource.code);
  const at = indexOf(tokens, "run", 0);
  const end = indexOf(tokens, ";", at) + 1;
  const calls = Array.from({ length: count }, (_, i) =>
    tokens.slice(at, end).map(({ gap, text }) => ({ gap, text: text === "run" ? `range${i + 1}_run` : text })),
  );
  return textOf([...tokens.slice(0, at), ...calls.flat(), ...tokens.slice(end)]);
}

/** Makes a part's text under its own names, without bindings and structs that an earlier part has declared. */
function partText<Value>(
  { dispatch, bindings }: MergePart<Value>,
  i: number,
  merged: readonly MergePartBinding<Value>[],
  structs: Map<string, string>,
): string {
  const module = moduleOf(dispatch.shader.code);
  const declared = named(module);
  const names = new Map<string, string>();
  for (const { keyword, name } of module) if (NAMING.includes(keyword)) names.set(name, partName(i, name));
  for (const binding of bindings) names.set(binding.name, merged.find((known) => isSame(known, binding))!.name);
  for (const { keyword, name } of module) {
    if (keyword !== "struct") continue;
    const layout = resolved([{ gap: "", text: name }], declared);
    names.set(name, structs.get(layout) ?? partName(i, name));
    structs.set(layout, names.get(name)!);
  }
  const own = module.filter(({ name }) => (names.get(name) ?? partName(i, name)) === partName(i, name));
  return moduleText(own.map((it) => ({ ...it, tokens: underNames(isEntry(it) ? asFunction(it) : it, names) })));
}

/** Keywords that declare a name at module scope. */
const NAMING = ["fn", "struct", "alias", "const", "override", "var"];

/** Turns an entry point into a plain function. */
function asFunction(entry: Declaration): Declaration {
  const tokens: Token[] = [];
  for (let i = 0; i < entry.tokens.length; ) {
    const isOwn =
      textAt(entry.tokens, i) === "@" && ["compute", "workgroup_size", "builtin"].includes(textAt(entry.tokens, i + 1));
    if (!isOwn) tokens.push(entry.tokens[i++]!);
    else i = textAt(entry.tokens, i + 2) === "(" ? closing(entry.tokens, i + 2) : i + 2;
  }
  return { ...entry, tokens };
}

/** Renames tokens, except after a dot or an @, and where a struct declares its members. */
function underNames({ tokens, keyword }: Declaration, names: ReadonlyMap<string, string>): Token[] {
  return tokens.map((token, i) => {
    const isMember =
      ".@".includes(textAt(tokens, i - 1) || " ") || (keyword === "struct" && textAt(tokens, i + 1) === ":");
    const name = isMember ? undefined : names.get(token.text);
    return name === undefined ? token : { gap: token.gap, text: name };
  });
}

export function product([x, y, z]: Triple): number {
  return x * y * z;
}
