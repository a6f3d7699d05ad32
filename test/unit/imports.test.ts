import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

function filesUnder(folder: string, ends: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ends))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .sort();
}

const files = filesUnder("src", ".ts")
  .filter((path) => !path.endsWith(".d.ts"))
  .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));

/** Paths of what a file imports, types too, from the repository's root; packages as they are named. */
function importsOf({ path, text }: { path: string; text: string }): string[] {
  const named = [
    ...text.matchAll(/^(?:import|export)\b[^;]*?\bfrom "([^"]+)"/gm),
    ...text.matchAll(/^import "([^"]+)"/gm),
  ];
  const dynamic = [...text.matchAll(/\bimport\(\s*(?:\/\*.*?\*\/\s*)?"([^"]+)"/g)];
  return [...named, ...dynamic].map(([, from]) => (from!.startsWith(".") ? posix.join(dirname(path), from!) : from!));
}

/** `src/ops/conv2d/conv2d.ts` is of `ops`. */
const partOf = (path: string) => path.replace(/^src\//, "").replace(/[/.].*$/, "");

/** The rooms from the ground up: a room may import those before it, and itself. */
const ROOMS = [
  ...["base", "wgsl", "gpu", "graph", "ops", "plan", "data", "layers", "losses", "metrics", "optimizers", "network"],
  ...["training", "program", "model", "observe", "snapshots", "callbacks", "formats", "tune", "index"],
];
/** Neighbours that do not know each other. */
const APART: Record<string, readonly string[]> = {
  plan: ["ops"],
  data: ["ops", "plan"],
  tune: ["model", "observe", "snapshots", "callbacks", "formats"],
};
/** What each room may import, itself included. */
const ALLOWED: Record<string, readonly string[]> = Object.fromEntries(
  ROOMS.map((room, i) => [room, ROOMS.slice(0, i + 1).filter((other) => !APART[room]?.includes(other))]),
);

describe("imports", () => {
  it("are found", () => {
    expect(files.length).toBeGreaterThan(50);
    const found = importsOf(files.find(({ path }) => path === "src/ops/conv2d/conv2d.ts")!);
    expect(found).toContain("shaders/conv2d/conv2d.wgsl");
    expect(found).toContain("src/ops/window.ts");
    expect(found).toContain("src/wgsl/kernel.ts");
    expect(importsOf({ path: "src/a/b.ts", text: 'export * from "../c.ts";\nawait import("./d.ts");' })).toEqual([
      "src/c.ts",
      "src/a/d.ts",
    ]);
  });

  it.each(files)("of $path go down", (file) => {
    const allowed = ALLOWED[partOf(file.path)];
    expect(allowed, `a part for ${file.path}`).toBeDefined();
    const inside = importsOf(file).filter((path) => path.startsWith("src/"));
    expect(inside.filter((path) => !allowed!.includes(partOf(path)))).toEqual([]);
  });

  it.each(files)("of $path stay in src and shaders; nothing is taken from a package", (file) => {
    const outside = importsOf(file).filter((path) => !path.startsWith("src/"));
    const allowed = (path: string) =>
      (path.startsWith("shaders/") && partOf(file.path) === "ops") ||
      // Structs that the text of a library file declares for both sides.
      (path === "shaders/lib/state.wgsl" && file.path === "src/graph/step-state.ts") ||
      (path === "shaders/batch/lib/metrics.wgsl" && file.path === "src/training/metrics-layout.ts") ||
      // What holds merged kernels together is of no op.
      (path.startsWith("shaders/lib/merged") && file.path === "src/wgsl/merge-kernels.ts") ||
      // A type: the module is asked for at run time.
      (path === "node:fs/promises" && file.path === "src/base/node-files.ts");
    expect(outside.filter((path) => !allowed(path))).toEqual([]);
  });

  it("have no cycles, types not counted", () => {
    const values = ({ path, text }: { path: string; text: string }) =>
      importsOf({ path, text: text.replace(/^import type\b[^;]*;/gm, "") }).filter((each) => each.startsWith("src/"));
    const edges = new Map(files.map((file) => [file.path, values(file)]));
    const state = new Map<string, "open" | "done">();
    const cycles: string[] = [];
    const visit = (path: string, trail: string[]) => {
      if (state.get(path) === "done") return;
      if (state.get(path) === "open") {
        cycles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
        return;
      }
      state.set(path, "open");
      for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
      state.set(path, "done");
    };
    for (const path of edges.keys()) visit(path, []);
    expect(cycles).toEqual([]);
  });

  it("lead to every file from src/index.ts: none is dead", () => {
    const reached = new Set<string>();
    const visit = (path: string) => {
      const file = files.find((each) => each.path === path);
      if (!file || reached.has(path)) return;
      reached.add(path);
      for (const next of importsOf(file)) visit(next);
    };
    visit("src/index.ts");
    expect(files.map(({ path }) => path).filter((path) => !reached.has(path))).toEqual([]);
  });

  it("bring in every shader", () => {
    const imported = new Set(files.flatMap(importsOf).filter((path) => path.startsWith("shaders/")));
    expect([...imported].sort()).toEqual(filesUnder("shaders", ".wgsl"));
  });
});

describe("files of src", () => {
  it("have no utils.ts and no barrel but src/index.ts", () => {
    const names = files.map(({ path }) => path);
    expect(names.filter((path) => /(^|\/)(utils?|helpers?|common|misc)\.ts$/.test(path))).toEqual([]);
    expect(names.filter((path) => path.endsWith("index.ts"))).toEqual(["src/index.ts"]);
    const reexports = files.filter(({ path, text }) => path !== "src/index.ts" && /^export\b[^;]*\bfrom "/m.test(text));
    expect(reexports.map(({ path }) => path)).toEqual([]);
  });

  it.each([...files.map(({ path }) => path), ...filesUnder("shaders", ".wgsl")])(
    "%s is of 400 lines at most",
    (path) => {
      expect(readFileSync(join(root, path), "utf8").split("\n").length - 1).toBeLessThanOrEqual(400);
    },
  );

  it.each(files)("$path keeps no state of its module", ({ text }) => {
    expect(text.match(/^(?:export )?(?:let|var)\b.*/gm) ?? []).toEqual([]);
  });
});

/** String and template literals of a TypeScript file, without what stands in comments and regular expressions. */
function literals(text: string): string[] {
  const tokens = [
    /\/\/.*/,
    /\/\*[\s\S]*?\*\//,
    /"(?:[^"\\\n]|\\.)*"/,
    /'(?:[^'\\\n]|\\.)*'/,
    /`(?:[^`\\]|\\[\s\S])*`/,
    // A regular expression stands where a value may begin.
    /(?<=[=(,:;!&|?{}\n]\s*)\/(?![/*])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/,
  ];
  const token = new RegExp(tokens.map(({ source }) => source).join("|"), "g");
  return [...text.matchAll(token)].map(([match]) => match).filter((match) => /^["'`]/.test(match));
}

describe("WGSL", () => {
  const signs = [
    /@compute\s+@workgroup_size\(/,
    /@group\(/,
    /\bfn\s+\w+\s*\(/,
    /var<(?:storage|uniform|workgroup|private)/,
    /array<[ufi]32>|vec[234][fui]\b|mat4x4f/,
  ];
  const isWgsl = (literal: string) => signs.some((sign) => sign.test(literal));

  it("is told from other text by this test", () => {
    const text = 'const a = "fn main() {}"; // "fn no()"\nconst b = /fn no\\("/g; const c = `@group(0)`;';
    expect(literals(text)).toEqual(['"fn main() {}"', "`@group(0)`"]);
    expect(literals(text).every(isWgsl)).toBe(true);
    expect(isWgsl('"The shader has no @compute entry point with a @workgroup_size."')).toBe(false);
  });

  it.each(files)("is not put together in $path", ({ text }) => {
    expect(literals(text).filter(isWgsl)).toEqual([]);
  });
});
