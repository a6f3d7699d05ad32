import mergedSource from "../../shaders/lib/merged.wgsl";
import rangeSource from "../../shaders/lib/merged_part.wgsl";
import { evaluate } from "./expression.ts";
import type { Dispatch } from "./kernel.ts";
import { type Access, BINDING, ENTRY, readConstants, type Source, specialize, type Triple } from "./specialize.ts";

/** A dispatch that can share a dispatch with others, and what that takes. */
export interface Part<Value> {
  readonly dispatch: Dispatch<Value>;
  readonly bindings: readonly PartBinding<Value>[];
  /** Bytes of its workgroup variables; infinite where they are of a type that is not counted here. */
  readonly workgroupBytes: number;
  /** It has barriers or subgroup operations, so no invocation of a workgroup may stay out. */
  readonly needsWholeWorkgroups: boolean;
  /** What its entry point takes, in order. */
  readonly builtins: readonly string[];
}

interface PartBinding<Value> {
  readonly name: string;
  readonly access: Access;
  readonly type: string;
  readonly value: Value;
}

/** What `start` in `shaders/lib/merged_part.wgsl` can hand on. */
const BUILTINS = [
  "workgroup_id",
  "local_invocation_id",
  "local_invocation_index",
  "global_invocation_id",
  "num_workgroups",
];

const WHOLE_WORKGROUPS = /\b(?:\w+Barrier|workgroupUniformLoad|subgroup\w+|quad\w+)\s*\(/;

/** Reads a dispatch as a part of a merged one; nothing where its entry point takes what cannot be made again there. */
export function partOf<Value>(dispatch: Dispatch<Value>): Part<Value> | undefined {
  const { code, bindings } = dispatch.shader;
  const parameters = ENTRY.exec(code)![3]!;
  const parameter = /@builtin\((\w+)\)\s*\w+\s*:\s*\w+\s*,?/g;
  const builtins = [...parameters.matchAll(parameter)].map(([, builtin]) => builtin!);
  const others = parameters.replace(parameter, "").trim();
  if (others !== "" || !builtins.every((builtin) => BUILTINS.includes(builtin))) return undefined;
  const types = new Map([...code.matchAll(BINDING)].map(([, , name, type]) => [name, type!.replace(/\s/g, "")]));
  return {
    dispatch,
    bindings: bindings.map(({ name, access }) => {
      return { name, access, type: types.get(name)!, value: dispatch.bind[name]! };
    }),
    workgroupBytes: workgroupBytes(code),
    needsWholeWorkgroups: WHOLE_WORKGROUPS.test(code),
    builtins,
  };
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

/** Bytes of the workgroup variables of a shader's text; infinite where they are of a type that is not counted here. */
export function workgroupBytes(code: string): number {
  const constants = readConstants(code);
  const aliases = new Map([...code.matchAll(/^alias (\w+) ?= ?([^;]*);/gm)].map(([, name, type]) => [name!, type!]));
  const bytesOf = (type: string): number => {
    const aliased = aliases.get(type);
    if (aliased !== undefined) return bytesOf(aliased.replace(/\s/g, ""));
    const [, of, count] = /^array<(.*),([^,]*)>$/.exec(type) ?? [];
    if (of !== undefined) return bytesOf(of) * Number(evaluate(count!, constants) ?? Number.POSITIVE_INFINITY);
    const [, columns = 1, rows = 1, scalar = ""] = /^(?:(?:mat([234])x|vec)([234]))?<?(\w+?)>?$/.exec(type) ?? [];
    return (SCALAR_BYTES.get(scalar) ?? Number.POSITIVE_INFINITY) * Number(columns) * (rows === "3" ? 4 : Number(rows));
  };
  const variables = [...code.matchAll(/var\s*<\s*workgroup\s*>\s*\w+\s*:([^;]*);/g)];
  return variables.reduce((sum, [, type]) => sum + bytesOf(type!.replace(/\s/g, "")), 0);
}

/** What a merged dispatch binds: each buffer once for each way in which the parts see it. */
export function mergedBindings<Value>(parts: readonly Part<Value>[]): PartBinding<Value>[] {
  const merged: PartBinding<Value>[] = [];
  parts.forEach(({ bindings }, i) => {
    for (const binding of bindings) {
      if (!merged.some((known) => isSame(known, binding))) merged.push({ ...binding, name: partName(i, binding.name) });
    }
  });
  return merged;
}

function isSame<Value>(a: PartBinding<Value>, b: PartBinding<Value>): boolean {
  return a.value === b.value && a.access === b.access && a.type === b.type;
}

function partName(part: number, name: string): string {
  return `part${part + 1}_${name}`;
}

/**
 * One dispatch that does what several do, in no order among them: each part has a range of the workgroups, which lie in
 * rows of at most `mostGroups`. What a part declares at module scope gets a prefix, and its entry point becomes a function.
 */
export function mergeParts<Value>(parts: readonly Part<Value>[], mostGroups: number): Dispatch<Value> {
  const bindings = mergedBindings(parts);
  const total = parts.reduce((sum, { dispatch }) => sum + product(dispatch.workgroups), 0);
  const row = Math.min(total, mostGroups);
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
  const run = parts.map((_, i) => `range${i + 1}_run(group, lane);`).join("\n  ");
  const entryPoint = parts.map(({ dispatch }) => dispatch.shader.entryPoint).join("_and_");
  return {
    kernel: parts.map(({ dispatch }) => dispatch.kernel).join(" + "),
    shader: specialize(
      [
        { code: mergedSource.code.replace(/run\(group, ?lane\);/, run), rename: { merged: entryPoint } },
        ...parts.flatMap((part, i) => [ranges[i]!, { code: partText(part, i, bindings) }]),
      ],
      constants,
    ),
    bind: Object.fromEntries(bindings.map(({ name, value }) => [name, value])),
    workgroups: [row, Math.ceil(total / row), 1],
  };
}

/** A part's text under its own names, without the bindings that an earlier part has declared. */
function partText<Value>(
  { dispatch, bindings }: Part<Value>,
  i: number,
  merged: readonly PartBinding<Value>[],
): string {
  const { code } = dispatch.shader;
  const renames = new Map(moduleNames(code).map((name) => [name, partName(i, name)]));
  for (const binding of bindings) renames.set(binding.name, merged.find((known) => isSame(known, binding))!.name);
  const body = code
    .replace(BINDING, (declaration, _, name) => (renames.get(name) === partName(i, name) ? declaration : ""))
    .replace(ENTRY, (entry) => entry.replace(/@compute[^)]*\)\s*|@builtin\(\w+\)\s*/g, ""));
  return renamed(body, renames);
}

/** Names that a module declares: of functions, structs, aliases, constants and variables. */
function moduleNames(code: string): string[] {
  const declared: string[] = [];
  const token = /[{}]|\b(?:(?:fn|struct|alias|const|override|var)\s+|var\s*<[^>]*>\s*)(\w+)/g;
  let depth = 0;
  for (const [text, name] of code.matchAll(token)) {
    if (text === "{") depth++;
    else if (text === "}") depth--;
    else if (depth === 0) declared.push(name!);
  }
  return declared;
}

/** Gives names new ones everywhere but after a dot or an @, and where a struct declares its members. */
function renamed(code: string, renames: ReadonlyMap<string, string>): string {
  return code
    .split(/(^\s*struct\s+\w+\s*\{[^}]*\})/m)
    .map((text, at) => {
      const names = at % 2 === 1 ? /(?<![.\w@])[A-Za-z_]\w*(?!\w|\s*:)/g : /(?<![.\w@])[A-Za-z_]\w*/g;
      return text.replace(names, (name) => renames.get(name) ?? name);
    })
    .join("");
}

export function product([x, y, z]: Triple): number {
  return x * y * z;
}
