import { type Constant, evaluate, isConstant, names } from "./expression.ts";
import type { Dispatch } from "./kernel.ts";
import { type Access, readConstants } from "./specialize.ts";

/** A dispatch that can share a dispatch with others, and what that takes. */
export interface Part<Value> {
  readonly dispatch: Dispatch<Value>;
  readonly bindings: readonly PartBinding<Value>[];
  readonly workgroupSize: readonly [number, number, number];
  /** Bytes of its workgroup variables; infinite where they are of a type that is not counted here. */
  readonly workgroupBytes: number;
  /** It has barriers or subgroup operations, so no invocation of a workgroup may stay out. */
  readonly needsWholeWorkgroups: boolean;
  readonly parameters: readonly Parameter[];
}

interface PartBinding<Value> {
  readonly name: string;
  readonly access: Access;
  readonly type: string;
  readonly value: Value;
}

interface Parameter {
  readonly builtin: string;
  readonly name: string;
  readonly type: string;
}

type Triple = readonly [number, number, number];

const ENTRY = /@compute @workgroup_size\(([^)]*)\)\s+fn (\w+)\(((?:[^()]|\([^()]*\))*)\)/;
const BINDING = /^[ \t]*@group\(0\)\s*@binding\(\d+\)\s*var<\s*storage\s*(?:,\s*\w+\s*)?>\s*(\w+)\s*:\s*([^;]*);\n?/gm;
const WHOLE_WORKGROUPS = /\b(?:\w+Barrier|workgroupUniformLoad|subgroup\w+|quad\w+)\s*\(/;
const COMMENT = /\/\*[\s\S]*?\*\/|\/\/.*/g;

/** Reads a dispatch as a part of a merged one; nothing where its entry point takes what cannot be made again there. */
export function partOf<Value>(dispatch: Dispatch<Value>): Part<Value> | undefined {
  const code = dispatch.shader.code.replace(COMMENT, "");
  const constants = readConstants(code);
  const [, sizes, , list] = ENTRY.exec(code) ?? [];
  if (sizes === undefined) return undefined;
  const builtin = /@builtin\((\w+)\)\s*(\w+)\s*:\s*(\w+)\s*,?/g;
  if (list!.replace(builtin, "").trim() !== "") return undefined;
  const types = new Map([...code.matchAll(BINDING)].map(([, name, type]) => [name, type!.replace(/\s/g, "")]));
  const [x, y = 1, z = 1] = sizes.split(",").map((size) => Number(evaluate(size, constants)));
  return {
    dispatch,
    bindings: dispatch.shader.bindings.map(({ name, access }) => ({
      name,
      access,
      type: types.get(name)!,
      value: dispatch.bind[name]!,
    })),
    workgroupSize: [x!, y, z],
    workgroupBytes: workgroupBytes(code, constants),
    needsWholeWorkgroups: WHOLE_WORKGROUPS.test(code),
    parameters: [...list!.matchAll(builtin)].map(([, builtin, name, type]) => ({
      builtin: builtin!,
      name: name!,
      type: type!,
    })),
  };
}

const SCALAR_BYTES: Readonly<Record<string, number>> = { f: 4, f32: 4, u: 4, u32: 4, i: 4, i32: 4, h: 2, f16: 2 };

function workgroupBytes(code: string, constants: ReadonlyMap<string, Constant>): number {
  const bytesOf = (type: string): number => {
    const [, of, count] = /^array<(.*),([^,]*)>$/.exec(type) ?? [];
    if (of !== undefined) return bytesOf(of) * elementCount(count!, constants);
    const [, columns = 1, rows = 1, scalar = ""] = /^(?:(?:mat([234])x|vec)([234]))?<?(\w+?)>?$/.exec(type) ?? [];
    return (SCALAR_BYTES[scalar] ?? Number.POSITIVE_INFINITY) * Number(columns) * (rows === "3" ? 4 : Number(rows));
  };
  const variables = [...code.matchAll(/var\s*<\s*workgroup\s*>\s*\w+\s*:([^;]*);/g)];
  return variables.reduce((sum, [, type]) => sum + bytesOf(type!.replace(/\s/g, "")), 0);
}

function elementCount(expression: string, constants: ReadonlyMap<string, Constant>): number {
  const known = isConstant(expression) && names(expression).every((name) => constants.has(name));
  return known ? Number(evaluate(expression, constants)) : Number.POSITIVE_INFINITY;
}

/** What a merged dispatch binds: each buffer once for each way in which the parts see it. */
export function mergedBindings<Value>(parts: readonly Part<Value>[]): PartBinding<Value>[] {
  const merged: PartBinding<Value>[] = [];
  parts.forEach(({ bindings }, i) => {
    for (const binding of bindings) {
      if (!merged.some((known) => isSame(known, binding))) {
        merged.push({ ...binding, name: `${prefix(i)}${binding.name}` });
      }
    }
  });
  return merged;
}

function isSame<Value>(a: PartBinding<Value>, b: PartBinding<Value>): boolean {
  return a.value === b.value && a.access === b.access && a.type === b.type;
}

function prefix(part: number): string {
  return `part${part + 1}_`;
}

/**
 * One dispatch that does what several do, in no order among them: each part has a range of the workgroups, counted in a
 * row of at most `mostGroups` and then the next. The parts' names at module scope get a prefix, their entry points become
 * functions, and where a part's workgroups are smaller than the largest, the invocations beyond them stay idle.
 */
export function mergeParts<Value>(parts: readonly Part<Value>[], mostGroups: number): Dispatch<Value> {
  const bindings = mergedBindings(parts);
  const counts = parts.map(({ dispatch }) => product(dispatch.workgroups));
  const total = counts.reduce((a, b) => a + b, 0);
  const groupsX = Math.min(total, mostGroups);
  const workgroupSize = Math.max(...parts.map((part) => product(part.workgroupSize)));
  const entryPoint = parts.map(({ dispatch }) => dispatch.shader.entryPoint).join("_and_");

  const directives = new Set<string>();
  const texts = parts.map((part, i) => partText(part, i, bindings, directives));
  const declarations = bindings.map(
    ({ name, access, type }, i) =>
      `@group(0) @binding(${i}) var<storage, ${access === "write" ? "read_write" : "read"}> ${name}: ${type};`,
  );
  const code = [
    ...directives,
    `// ${parts.map(({ dispatch }) => dispatch.kernel).join(" + ")}: independent of each other, in one dispatch.`,
    ...declarations,
    ...texts,
    CELL,
    entryText(parts, { entryPoint, workgroupSize, groupsX, counts }),
  ].join("\n");
  return {
    kernel: parts.map(({ dispatch }) => dispatch.kernel).join(" + "),
    shader: { code, entryPoint, workgroupSize, bindings: bindings.map(({ name, access }) => ({ name, access })) },
    bind: Object.fromEntries(bindings.map(({ name, value }) => [name, value])),
    workgroups: [groupsX, Math.ceil(total / groupsX), 1],
  };
}

const CELL = `
// The i-th cell of a grid, x running fastest.
fn cell(i: u32, grid: vec3u) -> vec3u {
  return vec3u(i % grid.x, i / grid.x % grid.y, i / (grid.x * grid.y));
}
`;

/** A part's text under its own names, its entry point a function of its arguments alone. */
function partText<Value>(
  { dispatch, bindings }: Part<Value>,
  i: number,
  merged: readonly PartBinding<Value>[],
  directives: Set<string>,
): string {
  const renames = new Map(moduleNames(dispatch.shader.code).map((name) => [name, `${prefix(i)}${name}`]));
  for (const binding of bindings) renames.set(binding.name, merged.find((known) => isSame(known, binding))!.name);
  const body = dispatch.shader.code
    .replace(/^\s*(?:enable|requires)\s[^;]*;\n?/gm, (line) => {
      directives.add(line.trim());
      return "";
    })
    .replace(BINDING, "")
    .replace(ENTRY, (_, _sizes, name, list: string) => `fn ${name}(${list.replace(/@builtin\(\w+\)\s*/g, "")})`);
  return `\n// ${prefix(i)}: ${dispatch.kernel}\n${renamed(body, renames)
    .trim()
    .replace(/\n{3,}/g, "\n\n")}`;
}

/** Names that a module declares: of functions, structs, aliases, constants and variables. */
function moduleNames(code: string): string[] {
  const declared: string[] = [];
  const token = /[{}]|\b(?:fn|struct|alias|const|override|var(?:\s*<[^>]*>)?)\s+(\w+)/g;
  let depth = 0;
  for (const [text, name] of code.replace(COMMENT, "").matchAll(token)) {
    if (text === "{") depth++;
    else if (text === "}") depth--;
    else if (depth === 0) declared.push(name!);
  }
  return declared;
}

/** Gives names new ones everywhere but in comments, after a dot or an @, and where a struct declares its members. */
function renamed(code: string, renames: ReadonlyMap<string, string>): string {
  const rename = (text: string, members: boolean) =>
    text.replace(/\/\*[\s\S]*?\*\/|\/\/.*|(?<![.\w@])[A-Za-z_]\w*(\s*:)?/g, (word, colon: string | undefined) => {
      const name = colon === undefined ? word : word.slice(0, -colon.length);
      return members && colon !== undefined ? word : (renames.get(name) ?? name) + (colon ?? "");
    });
  return code
    .split(/(^\s*struct\s+\w+\s*\{[^}]*\})/m)
    .map((text, at) => rename(text, at % 2 === 1))
    .join("");
}

interface Layout {
  readonly entryPoint: string;
  readonly workgroupSize: number;
  readonly groupsX: number;
  /** Workgroups of each part. */
  readonly counts: readonly number[];
}

function entryText<Value>(
  parts: readonly Part<Value>[],
  { entryPoint, workgroupSize, groupsX, counts }: Layout,
): string {
  const others = new Map(
    parts.flatMap(({ parameters }) =>
      parameters.filter(({ builtin }) => !(builtin in ARGUMENTS)).map(({ builtin, type }) => [builtin, type]),
    ),
  );
  const lines: string[] = [];
  let first = 0;
  parts.forEach((part, i) => {
    const index = first === 0 ? "group" : `group - ${first}u`;
    first += counts[i]!;
    const call = `${prefix(i)}${part.dispatch.shader.entryPoint}(${argumentsOf(part, index)});`;
    const all = product(part.workgroupSize);
    lines.push(
      `  ${i === 0 ? "" : "} else "}if (group < ${first}u) {`,
      ...(all === workgroupSize ? [`    ${call}`] : [`    if (lane < ${all}u) {`, `      ${call}`, "    }"]),
    );
  });
  return [
    `@compute @workgroup_size(${workgroupSize})`,
    `fn ${entryPoint}(`,
    "  @builtin(workgroup_id) workgroup: vec3u,",
    "  @builtin(local_invocation_index) lane: u32,",
    ...[...others].map(([name, type]) => `  @builtin(${name}) ${name}: ${type},`),
    ") {",
    `  let group = workgroup.y * ${groupsX}u + workgroup.x;`,
    ...lines,
    "  }",
    "}",
  ].join("\n");
}

/** How a part's arguments are made of its workgroup's index and of `lane`. */
const ARGUMENTS: Readonly<Record<string, (index: string, groups: string, size: string) => string>> = {
  workgroup_id: (index, groups) => `cell(${index}, ${groups})`,
  local_invocation_id: (_index, _groups, size) => `cell(lane, ${size})`,
  local_invocation_index: () => "lane",
  global_invocation_id: (index, groups, size) => `cell(${index}, ${groups}) * ${size} + cell(lane, ${size})`,
  num_workgroups: (_index, groups) => groups,
};

function argumentsOf<Value>({ parameters, dispatch, workgroupSize }: Part<Value>, index: string): string {
  const vector = (values: Triple) => `vec3u(${values.map((value) => `${value}u`).join(", ")})`;
  return parameters
    .map(({ builtin }) => ARGUMENTS[builtin]?.(index, vector(dispatch.workgroups), vector(workgroupSize)) ?? builtin)
    .join(", ");
}

function product([x, y, z]: Triple): number {
  return x * y * z;
}
