import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { leanShader } from "../../cli/lean-shaders.ts";
import type { Tile } from "../../src/graph/tile.ts";
import { sgd } from "../../src/ops/updates/sgd.ts";
import { whenDue } from "../../src/ops/updates/when-due.ts";
import { Build } from "../support/building.ts";
import { lowered } from "../support/op-table.ts";
import { allOps } from "../support/ops.ts";

const folder = fileURLToPath(new URL("../../shaders/", import.meta.url));
const opsFolder = fileURLToPath(new URL("../../src/ops/", import.meta.url));
/** Paths of all shaders, by stem: those of kernels, and those of the library files in the folders `lib`. */
const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".wgsl"));
const stemOf = (path: string) => path.replace(/^.*\//, "").replace(/\.wgsl$/, "");
const isLibrary = (path: string) => /(^|\/)lib\//.test(path);
/** All but the first rung of the ladder in shaders/README.md, which no op uses. */
const kernels = new Map(
  paths
    .filter((path) => !isLibrary(path) && path !== "conv2d/naive_conv2d.wgsl")
    .map((path) => [stemOf(path), `${folder}${path}`]),
);
const kernelStems = [...kernels.keys()].sort();
const plain = (code: string) => code.replace(/\/\/.*/g, "");

const alone = [...lowered.values()].flat();
/** Two kernels in one dispatch, one of them with smaller workgroups. */
const merged = (() => {
  const build = new Build();
  const [a, b] = [build.input("a", [4, 8]), build.input("b", [8, 4])];
  build.want(build.add("softmax", { x: a }).y!, build.add("matmul", { a, b }).c!);
  const small: Tile = { blocksM: 1, blocksN: 1, workgroupM: 4, workgroupN: 4, slices: 1 };
  return build.lower({ adapter: "gpu", choices: { matmul: small } }).steps;
})();
const steps = [...alone, ...merged];
/** A kernel that runs only in steps that end with an update. */
const due = (() => {
  const build = new Build();
  const [p, g] = [build.input("p", [8]), build.input("g", [8])];
  build.add(whenDue(sgd), { p, g, rate: build.input("rate", [1]), accumulation: build.graph.state });
  return build.lower().steps;
})();

describe("the library's ops", () => {
  it("are all lowered by the table, but for those that are views", () => {
    const runs = [...allOps.values()].filter(({ view }) => !view).map(({ name }) => name);
    expect([...lowered.keys()].sort()).toEqual(runs.sort());
  });

  it("are all in the list of ops", () => {
    const sources = readdirSync(opsFolder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => readFileSync(`${opsFolder}${name}`, "utf8"));
    const defined = sources.flatMap((text) => [...text.matchAll(/\bdefineOp\(\{\n\s+name: "(\w+)"/g)]);
    expect([...allOps.keys()].sort()).toEqual(defined.map(([, name]) => name).sort());
  });

  it("have a gradient, unless they have it in them or are gradients, updates, parts, the ends of a step or stand before what is trained", () => {
    const without = [...allOps.values()].filter(({ gradient }) => !gradient).map(({ name }) => name);
    const updates = ["sgd", "adam", "rmsprop", "adagrad", "adadelta", "adamax", "lion", "nadam", "movingAverage"];
    const constraints = ["nonNegative", "normConstraint"];
    const ends = [
      "accumulateMeans",
      "accumulateRows",
      "accumulationState",
      "accuracy",
      "advance",
      "argmax",
      "nadamFactors",
      "schedule",
      "batchRepeat",
      "batchScatter",
      "beginStep",
      "oneHot",
      "sampleFactors",
      "thresholdCounts",
      "thresholdRows",
      "topKAccuracy",
    ];
    const clipping = ["clipFactor", "clipValue", "scaleBy", "squareSum"];
    const parts = ["windowPooling", "winogradFilter", "winogradInput", "winogradOutput"];
    expect(without.filter((name) => !name.endsWith("Gradient")).sort()).toEqual(
      [
        ...ends,
        ...clipping,
        "batchGather",
        "denseCrossEntropy",
        "cutRows",
        "mixRows",
        "warp",
        ...updates,
        ...constraints,
        ...parts,
      ].sort(),
    );
  });
});

/** What src/ops declares of each kernel: the uses of its bindings by name. */
function declaredKernels(): Map<string, Map<string, string>> {
  const files = readdirSync(opsFolder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const sources = files.map((name) => readFileSync(`${opsFolder}${name}`, "utf8"));
  const declared = sources.flatMap((text) => {
    const files = new Map(
      [...text.matchAll(/^import (\w+) from ".*\/(\w+)\.wgsl";/gm)].map(([, ...pair]) => pair as [string, string]),
    );
    return [...text.matchAll(/: Kernel<\{([^}]*)\}> =\s*(\w+);/g)].map(([, type, variable]) => {
      const uses = [...type!.matchAll(/(\w+): "(\w+\??)"/g)].map(([, name, use]) => [name!, use!] as const);
      return [files.get(variable!)!, new Map(uses)] as const;
    });
  });
  return new Map(declared);
}

describe("shaders/*.wgsl", () => {
  it("are all run by some op, under the name of the file", () => {
    expect([...new Set(alone.map(({ kernel }) => kernel))].sort()).toEqual(kernelStems);
  });

  it.each(kernelStems)("%s is given every constant that it names", (stem) => {
    for (const { shader } of steps.filter(({ kernel }) => kernel === stem)) {
      const declared = [...shader.code.matchAll(/^const (\w+)/gm)].map(([, name]) => name);
      const named = plain(shader.code).match(/(?<![.\w])[A-Z][A-Z0-9_]*\b/g);
      expect([...new Set(named)].filter((name) => !declared.includes(name))).toEqual([]);
    }
  });

  it.each(kernelStems)("%s has a main function of its name", (stem) => {
    const [step] = steps.filter(({ kernel }) => kernel === stem);
    expect(step!.shader.entryPoint).toBe(stem);
  });

  it.each(kernelStems)("%s binds each of its buffers in some specialisation", (stem) => {
    const bound = new Set(
      steps.filter(({ kernel }) => kernel === stem).flatMap(({ shader }) => shader.bindings.map(({ name }) => name)),
    );
    const declared = [...readFileSync(kernels.get(stem)!, "utf8").matchAll(/^@group.*> (\w+):/gm)];
    for (const [, name] of declared) expect([...bound]).toContain(name);
  });
});

describe("the bindings that src/ops declares", () => {
  const declared = declaredKernels();

  it("are those of all kernels", () => {
    expect([...declared.keys()].sort()).toEqual(kernelStems);
  });

  it.each([...declared])(
    "of %s are the shader's, with a question mark where a specialisation lacks one",
    (kernel, uses) => {
      const bound = steps.filter((step) => step.kernel === kernel).map(({ shader }) => shader.bindings);
      const accesses = new Map(bound.flat().map(({ name, access }) => [name, access]));
      const found = [...accesses].map(([name, access]) => {
        const always = bound.every((bindings) => bindings.some((binding) => binding.name === name));
        return [name, always ? access : `${access}?`] as const;
      });
      expect(Object.fromEntries(found)).toEqual(Object.fromEntries(uses));
    },
  );
});

describe("shaders/lib/*.wgsl", () => {
  it.each(paths.filter(isLibrary))("%s is used by some kernel", (path) => {
    const code = leanShader(readFileSync(`${folder}${path}`, "utf8"));
    // A library file for operands or outputs goes by the tensor's letter, polynomials by what they have terms for, ranges by number.
    const declared = [...code.matchAll(/^(?:fn|const|struct) (\w+)/gm)].map(([, name]) =>
      name!.replace(/operand|output|terms/, "[a-z]\\w*").replace(/^range/, "range\\d"),
    );
    const signatures = code.match(/var<storage,read(?:_write)?>\w+:array<\w+>/)?.[0].replace(/>\w+:/, ">\\w+:");
    const uses = (text: string) =>
      declared.some((name) => (text.match(new RegExp(`(?<![.\\w])${name}\\b`, "g"))?.length ?? 0) > 1);
    const users = [...steps, ...due].filter(({ shader }) => {
      const text = plain(shader.code);
      return uses(text) && (signatures === undefined || new RegExp(signatures).test(text));
    });
    expect(declared.length).toBeGreaterThan(0);
    expect(users.length).toBeGreaterThan(0);
  });
});

describe("specialised text", () => {
  const texts = new Map(steps.map(({ kernel, shader }) => [shader.code, { kernel, shader }]));

  it("differs from case to case", () => {
    expect(texts.size).toBeGreaterThan(60);
  });

  it.each([...texts.values()])("of $kernel is whole", ({ shader }) => {
    const code = plain(shader.code);
    for (const [open, close] of ["{}", "()", "[]"]) {
      expect(code.split(open!).length, `${open} and ${close}`).toBe(code.split(close!).length);
    }
    // Nothing is left to unroll, and no branch whose condition is known.
    expect(shader.code).not.toMatch(/\/\/ unroll\s+for/);
    const known = new Set(
      [...code.matchAll(/^const (\w+): ?\w+ ?= ?(?:[\d.]+(?:e[+-]?\d+)?[uif]|true|false);/gm)].map(([, name]) => name),
    );
    for (const [, condition] of code.matchAll(/\bif ?\(([^{}]*?)\) ?\{/g)) {
      const names = condition!.match(/\b[A-Za-z_]\w*/g) ?? [];
      expect(
        names.filter((name) => !known.has(name)),
        condition,
      ).not.toEqual([]);
    }
    expect(code).not.toMatch(/else(?!\s*(?:\{|if ?\())/);
    const numbers = [...code.matchAll(/@group\(0\) ?@binding\((\d+)\) ?var<[^>]*> ?(\w+)/g)];
    expect(numbers.map(([, at]) => Number(at))).toEqual(shader.bindings.map((_, at) => at));
    expect(numbers.map(([, , name]) => name)).toEqual(shader.bindings.map(({ name }) => name));
    expect(code.match(/@compute/g)).toHaveLength(1);
    const declared = [...code.matchAll(/^(?:@.*\)\s*)?(?:const|override|alias|struct|fn|var<[^>]*>) ?(\w+)/gm)];
    expect(new Set(declared.map(([, name]) => name)).size, "names declared once").toBe(declared.length);
    // Every function that is left is called, or is the entry point.
    for (const [, name] of code.matchAll(/^fn (\w+)/gm)) {
      if (name === shader.entryPoint) continue;
      expect(code.match(new RegExp(`(?<![.\\w])${name}\\(`, "g"))!.length, name).toBeGreaterThan(1);
    }
  });
});
