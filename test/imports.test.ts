import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { ENTRIES } from "../cli/entries.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

function filesUnder(folder: string, ...ends: string[]): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && ends.some((end) => entry.name.endsWith(end)))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .filter((path) => !path.includes("node_modules/"))
    .sort();
}

interface File {
  readonly path: string;
  readonly text: string;
}

const read = (path: string): File => ({ path, text: readFileSync(join(root, path), "utf8") });

const files = filesUnder("src", ".ts")
  .filter((path) => !path.endsWith(".d.ts"))
  .map(read);

/** Paths of what a file imports, types too, from the repository's root; packages as they are named. */
function importsOf({ path, text }: File): string[] {
  const named = [
    ...text.matchAll(/^(?:import|export)\b[^;]*?\bfrom "([^"]+)"/gm),
    ...text.matchAll(/^import "([^"]+)"/gm),
  ];
  const dynamic = [...text.matchAll(/\bimport\(\s*(?:\/\*.*?\*\/\s*)?"([^"]+)"/g)];
  return [...named, ...dynamic].map(([, from]) =>
    from!.startsWith(".") ? posix.join(dirname(path), from!.replace(/\?.*/, "")) : from!,
  );
}

/** `src/ops/conv2d/conv2d.ts` is of `ops`. */
const partOf = (path: string) => path.replace(/^src\//, "").replace(/[/.].*$/, "");

/** The rooms from the ground up: a room may import those before it, and itself. */
const ROOMS = [
  "base",
  "wgsl",
  "gpu",
  "graph",
  "ops",
  "plan",
  "data",
  "layers",
  "losses",
  "metrics",
  "optimizers",
  "network",
  "program",
  "augmentations",
  "training",
  "model",
  "datasets",
  "observe",
  "plot",
  "record",
  "snapshots",
  "callbacks",
  "formats",
  "tune",
  "onnx",
  "tensorboard",
  "index",
];
/** Neighbours that do not know each other. */
const APART: Record<string, readonly string[]> = {
  plan: ["ops"],
  data: ["ops", "plan"],
  tune: ["model", "observe", "record", "snapshots", "callbacks", "formats"],
  onnx: ["tune"],
  tensorboard: ["tune", "onnx"],
  index: ["onnx", "tensorboard"],
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
      // What holds merged kernels together is of no op.
      (path.startsWith("shaders/lib/merged") && file.path === "src/wgsl/merge-kernels.ts") ||
      // Bundled into an entry that only its users load.
      (path === "pbf" && ["src/onnx/model-proto.ts", "src/tensorboard/event-file.ts"].includes(file.path)) ||
      // A type: the module is asked for at run time.
      (path === "node:fs/promises" && file.path === "src/base/node-files.ts");
    expect(outside.filter((path) => !allowed(path))).toEqual([]);
  });

  it("lead to every file from the entries of the package: none is dead", () => {
    const reached = new Set<string>();
    const visit = (path: string) => {
      const file = files.find((each) => each.path === path);
      if (!file || reached.has(path)) return;
      reached.add(path);
      for (const next of importsOf(file)) visit(next);
    };
    for (const { source } of ENTRIES) visit(source);
    expect(files.map(({ path }) => path).filter((path) => !reached.has(path))).toEqual([]);
  });

  it("bring in every shader but the first rung of the ladder in shaders/README.md", () => {
    const imported = new Set(files.flatMap(importsOf).filter((path) => path.startsWith("shaders/")));
    const shaders = filesUnder("shaders", ".wgsl").filter((path) => path !== "shaders/conv2d/naive_conv2d.wgsl");
    expect([...imported].sort()).toEqual(shaders);
  });
});

/** Files that import each other, round in a circle; an import of a type counts. */
function circles(among: readonly File[]): string[] {
  const edges = new Map(among.map((file) => [file.path, importsOf(file)]));
  const state = new Map<string, "open" | "done">();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]) => {
    if (state.get(path) === "done") return;
    if (state.get(path) === "open") {
      found.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
      return;
    }
    state.set(path, "open");
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
    state.set(path, "done");
  };
  for (const path of edges.keys()) visit(path, []);
  return found;
}

/** What each folder of the repository may import beside itself. A page is built with the tools of `cli`. */
const FOLDERS: Record<string, readonly string[]> = {
  src: ["shaders"],
  cli: ["src"],
  bench: ["src", "cli", "package.json"],
  demo: ["src", "cli"],
};

describe("imports of the repository", () => {
  const all = Object.keys(FOLDERS).flatMap((folder) => filesUnder(folder, ".ts", ".tsx").map(read));
  const tests = filesUnder("test", ".ts").map(read);

  it("run in no circle, types counted", () => {
    const pair = [
      { path: "a/b.ts", text: 'import type { C } from "./c.ts";' },
      { path: "a/c.ts", text: 'export async function load() {\n  return await import("./b.ts");\n}' },
    ];
    expect(circles(pair)).toEqual(["a/b.ts -> a/c.ts -> a/b.ts"]);
    expect(circles(pair.slice(1))).toEqual([]);
    expect(circles([...all, ...tests])).toEqual([]);
  });

  it.each(Object.keys(FOLDERS))("of %s lead to no folder that they may not know: no test, for one", (folder) => {
    const within = all.filter(({ path }) => path.startsWith(`${folder}/`));
    expect(within.length).toBeGreaterThan(10);
    const known = [folder, ...FOLDERS[folder]!].map((name) => new RegExp(`^${name}(/|$)`));
    const wrong = within.flatMap((file) =>
      importsOf(file)
        // Packages are not files of ours.
        .filter((path) => existsSync(join(root, path)) && !known.some((each) => each.test(path)))
        .map((path) => `${file.path}: ${path}`),
    );
    expect(wrong).toEqual([]);
  });

  it("name no path of a test, but where tests are bundled to be run elsewhere", () => {
    const named = all.filter(({ text }) => literals(text).some((each) => /[/"'`]test\//.test(each)));
    expect(named.map(({ path }) => path)).toEqual(["bench/gpu/tests/build.ts"]);
  });
});

describe("files of src", () => {
  it("have no utils.ts and no barrel but the entries of the package and the door to the ops", () => {
    const names = files.map(({ path }) => path);
    expect(names.filter((path) => /(^|\/)(utils?|helpers?|common|misc)\.ts$/.test(path))).toEqual([]);
    expect(names.filter((path) => path.endsWith("index.ts"))).toEqual(["src/index.ts"]);
    const doors = [...ENTRIES.map(({ source }) => source), "src/ops/ops.ts"];
    const reexports = files.filter(({ path, text }) => !doors.includes(path) && /^export\b[^;]*\bfrom "/m.test(text));
    expect(reexports.map(({ path }) => path)).toEqual([]);
  });

  // The list of what the package exports is no code to be read.
  const code = files.map(({ path }) => path).filter((path) => path !== "src/index.ts");
  it.each([...code, ...filesUnder("shaders", ".wgsl")])("%s is of 400 lines at most", (path) => {
    expect(readFileSync(join(root, path), "utf8").split("\n").length - 1).toBeLessThanOrEqual(400);
  });

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

  // The one text that no file can hold: an expression that an app wrote, or that rewrites joined. See docs/decisions/expressions-are-one-op.md.
  const written = files.filter(({ path }) => path !== "src/ops/pointwise/expression.ts");

  it.each(written)("is not put together in $path", ({ text }) => {
    expect(literals(text).filter(isWgsl)).toEqual([]);
  });
});
