import { describe, expect, it } from "vitest";
import { FeaturemapError } from "../../src/base/errors.ts";
import { isTile, type Tile } from "../../src/graph/tile.ts";
import { conv2d, dense, flatten, maxPooling2d } from "../../src/index.ts";
import type { CompileProgress } from "../../src/plan/executable.ts";
import type { TuningTask } from "../../src/plan/tuning-task.ts";
import type { DispatchGroup } from "../../src/tune/timing-rig.ts";
import { type TunerOptions, tuner, tunerWith } from "../../src/tune/tuner.ts";
import { failure } from "../support/building.ts";
import { articleLayers } from "../support/models.ts";
import { type FakeRig, fakeRig, memoryStore, taskFor } from "../support/tuning.ts";

/** Two equal dense layers in a row, then the classes. */
const perceptron = () => [
  dense({ units: 64, activation: "relu", inputShape: [64] }),
  dense({ units: 64, activation: "relu" }),
  dense({ units: 64, activation: "relu" }),
  dense({ units: 10, activation: "softmax" }),
];
const convolutional = () => [
  conv2d({ filters: 24, kernelSize: 5, activation: "relu", inputShape: [20, 20, 16] }),
  maxPooling2d(),
  flatten(),
  dense({ units: 10, activation: "softmax" }),
];

const tileOf = ({ plan, steps }: DispatchGroup): Tile | undefined => {
  const choice = plan.choices[steps[0]!.node];
  return isTile(choice) ? choice : undefined;
};
const volume = (tile: Tile | undefined) => (tile ? tile.blocksM * tile.blocksN : 4);
/** The larger the blocks, the faster. */
const largeWins = (group: DispatchGroup) => 10 / (1 + volume(tileOf(group)));

function tune(task: TuningTask, fake: FakeRig, options: TunerOptions = {}) {
  const store = options.store ?? memoryStore().store;
  return tunerWith({ ...options, store }, { rig: () => fake.rig, now: fake.now }).tune(task);
}

describe("a tuner", () => {
  it("chooses what was measured fastest, for every product, and the plan can be made again from it", async () => {
    const task = taskFor(perceptron());
    const shipped = task.build({ choices: {} });
    const fake = fakeRig(largeWins);
    const { choices, counts } = await tune(task, fake);
    const tuned = task.build({ choices });
    expect(tuned.choices).toEqual({ ...shipped.choices, ...choices });
    const places = Object.keys(shipped.choices);
    expect(places.length).toBeGreaterThan(6);
    const gained = places.map((node) => volume(tuned.choices[node] as Tile) - volume(shipped.choices[node] as Tile));
    expect(gained.filter((blocks) => blocks > 0).length).toBeGreaterThan(3);
    expect(Math.min(...gained)).toBe(0);
    expect(counts.skipped).toBe(0);
    expect(fake.disposed).toBe(1);
  });

  it("measures equal products once", async () => {
    const task = taskFor(perceptron());
    const fake = fakeRig(largeWins);
    const { choices, counts } = await tune(task, fake);
    const nodes = (layer: string) => Object.entries(choices).filter(([node]) => node.split("/")[0] === layer);
    expect(nodes("dense_1").length).toBeGreaterThan(2);
    expect(nodes("dense_1").map(([, choice]) => choice)).toEqual(nodes("dense_2").map(([, choice]) => choice));
    const equal = [...new Set(fake.timed)].filter((node) => /^dense(_[12])?$/.test(node));
    expect(equal).toEqual(["dense"]);
    expect(new Set(fake.timed).size).toBe(counts.measured);
    expect(counts.measured).toBeLessThan(Object.keys(choices).length);
  });

  it("keeps the shipped choice where nothing is faster by the margin", async () => {
    const task = taskFor(articleLayers());
    const shipped = task.build({ choices: {} });
    const first = (group: DispatchGroup) =>
      JSON.stringify(tileOf(group)) === JSON.stringify(shipped.choices[group.steps[0]!.node]);
    const { choices } = await tune(
      task,
      fakeRig((group) => (first(group) ? 10 : 9.8)),
      { budgetMs: 1e6 },
    );
    expect(task.build({ choices }).choices).toEqual(shipped.choices);
  });

  it("compares a layer's algorithms as wholes, then tunes the tiles of the one that wins", async () => {
    const task = taskFor(convolutional());
    // Winograd's bias gradient is a sum as the direct way has one.
    const own = /^conv2d(_input_gradient|_filter_gradient)?$/;
    const direct = (group: DispatchGroup) => group.steps.filter(({ kernel }) => own.test(kernel)).length;
    for (const [wanted, cost] of [
      ["direct", ({ steps }: DispatchGroup) => (steps.some(({ kernel }) => kernel.startsWith("winograd")) ? 20 : 10)],
      [
        "winograd6",
        (group: DispatchGroup) =>
          direct(group) ? 20 : group.steps.some(({ shader }) => /const POINTS: u32 = 6u;/.test(shader.code)) ? 5 : 10,
      ],
    ] as const) {
      const { choices } = await tune(task, fakeRig(cost), { budgetMs: 1e6 });
      const plan = task.build({ choices });
      const kernels = plan.steps.filter(({ node }) => node.startsWith("conv2d")).map(({ kernel }) => kernel);
      expect(
        kernels.some((kernel) => kernel.startsWith("winograd")),
        wanted,
      ).toBe(wanted !== "direct");
      if (wanted !== "direct") expect(plan.choices.conv2d).toEqual({ algorithm: wanted });
      expect(task.build({ choices: plan.choices }).steps).toEqual(plan.steps);
    }
  });

  it("considers no algorithm where memory is to be kept small", async () => {
    const task = taskFor(convolutional(), { memory: "compact" });
    const { choices } = await tune(task, fakeRig(largeWins), { budgetMs: 1e6 });
    expect(Object.values(choices).every(isTile)).toBe(true);
  });

  it("leaves what is settled, and does not measure it", async () => {
    const fake = fakeRig(largeWins);
    const mine: Tile = { blocksM: 2, blocksN: 1, workgroupM: 4, workgroupN: 1, quad: true, slices: 1 };
    const { choices } = await tune(taskFor(perceptron(), { choices: { dense: mine } }), fake);
    expect(choices.dense).toEqual(mine);
    expect(fake.timed).not.toContain("dense");
    const conv = { conv2d: { algorithm: "direct" } };
    const settled = await tune(taskFor(convolutional(), { choices: conv }), fakeRig(largeWins), { budgetMs: 1e6 });
    expect(isTile(settled.choices.conv2d) || settled.choices.conv2d).toEqual(conv.conv2d);
  });

  it("stays within its budget: what costs most comes first, the rest keeps the shipped choice and is not stored", async () => {
    const task = taskFor(articleLayers());
    const cost = (group: DispatchGroup) => (group.steps[0]!.node === "dense" ? 3 : 1) * largeWins(group);
    const unbounded = fakeRig(cost);
    const whole = await tune(task, unbounded, { budgetMs: 1e6 });
    const budgetMs = unbounded.now() / 2;
    const kept = memoryStore();
    const fake = fakeRig(cost);
    const { choices, counts } = await tune(task, fake, { store: kept.store, budgetMs });
    expect(counts.skipped).toBeGreaterThan(0);
    expect(counts.measured).toBeGreaterThan(0);
    expect(counts.measured + counts.skipped).toBe(whole.counts.measured);
    // What is shipped runs once beside it.
    expect(fake.now()).toBeLessThanOrEqual(1.15 * budgetMs);
    expect(choices.dense).toEqual(whole.choices.dense);
    expect(kept.entries.size).toBe(counts.measured);
  });

  it("does not begin what takes too long to compile", async () => {
    const slow = fakeRig(largeWins, { compileMs: 300 });
    const { choices, counts } = await tune(taskFor(perceptron()), slow, { budgetMs: 250 });
    expect(counts.measured).toBe(0);
    expect(choices).toEqual({});
  });

  it("knows a driver that compiles at the first run: nobody is out for that, and what takes too long is not begun", async () => {
    const task = taskFor(perceptron());
    const [shipped, tuned] = [task.build({ choices: {} }), await tune(task, fakeRig(largeWins))];
    const lazy = fakeRig(largeWins, { firstRunMs: 300 });
    expect((await tune(task, lazy, { budgetMs: 1e6 })).choices).toEqual(tuned.choices);
    expect(tuned.choices).not.toEqual(shipped.choices);
    const hurried = await tune(task, fakeRig(largeWins, { firstRunMs: 300 }), { budgetMs: 250 });
    expect(hurried.counts.measured).toBe(0);
  });

  it("drops a candidate that the device refuses, and lets the losers' pipelines go", async () => {
    const task = taskFor(perceptron());
    const shipped = task.build({ choices: {} }).choices;
    const refuse = (group: DispatchGroup) =>
      volume(tileOf(group)) > volume(shipped[group.steps[0]!.node] as Tile)
        ? new FeaturemapError("device", "no")
        : undefined;
    const fake = fakeRig(largeWins, { refuse });
    const { choices } = await tune(task, fake);
    for (const [node, choice] of Object.entries(choices)) {
      expect(volume(choice as Tile)).toBeLessThanOrEqual(volume(shipped[node] as Tile));
    }
    const left = task.build({ choices, unmerged: true }).steps.filter(({ shader }) => fake.forgotten.has(shader.code));
    expect(left).toEqual([]);
    expect(fake.forgotten.size).toBeGreaterThan(0);
  });

  it("passes on what goes wrong with the shipped kernel, or with the model", async () => {
    const broken = fakeRig(largeWins, { refuse: () => new FeaturemapError("device", "does not compile") });
    await expect(tune(taskFor(perceptron()), broken)).rejects.toThrow("does not compile");
    expect(broken.disposed).toBe(1);
    let calls = 0;
    const assertLive = () => {
      if (++calls > 5) throw new FeaturemapError("state", "The model was disposed.");
    };
    const fake = fakeRig(largeWins);
    await expect(tune(taskFor(perceptron(), { assertLive }), fake)).rejects.toThrow("was disposed");
    expect(fake.disposed).toBe(1);
  });

  it("tells how far it is", async () => {
    const seen: CompileProgress[] = [];
    const { counts } = await tune(taskFor(perceptron(), { onProgress: (each) => seen.push(each) }), fakeRig(largeWins));
    expect(seen.every(({ tuning, plan }) => tuning && plan === "training step")).toBe(true);
    expect(seen.map(({ compiled }) => compiled)).toEqual(
      [...seen.map(({ compiled }) => compiled)].sort((a, b) => a - b),
    );
    expect(seen.at(-1)).toMatchObject({ compiled: counts.measured, total: counts.measured });
    expect(seen.at(-1)!.kernel).toBeDefined();
  });
});

describe("a tuning store", () => {
  it("saves a second measurement, also for another model with equal layers under other names", async () => {
    const { store, calls } = memoryStore();
    const first = await tune(taskFor(perceptron()), fakeRig(largeWins), { store });
    expect(calls.set).toBe(first.counts.measured);
    const again = fakeRig(() => {
      throw new Error("Nothing is to be measured.");
    });
    const second = await tune(taskFor(perceptron()), again, { store });
    expect(second).toEqual({ ...first, counts: { measured: 0, remembered: first.counts.measured, skipped: 0 } });
    const named = perceptron().map((layer, i) => ({ ...layer, name: `layer${i}` }));
    const other = await tune(taskFor(named), again, { store });
    expect(other.counts.measured).toBe(0);
    expect(other.choices.layer1).toEqual(first.choices.dense_1);
    expect(again.disposed).toBe(0);
  });

  it("is not asked twice by one tuner, and is told apart by adapter and by class", async () => {
    const { store, calls } = memoryStore();
    const fake = fakeRig(largeWins);
    const one = tunerWith({ store }, { rig: () => fake.rig, now: fake.now });
    const { counts } = await one.tune(taskFor(perceptron()));
    const asked = calls.get;
    expect((await one.tune(taskFor(perceptron()))).counts.remembered).toBe(counts.measured);
    expect(calls.get).toBe(asked);
    const task = taskFor(perceptron());
    const elsewhere = { ...task.runtime.adapter, architecture: "two" };
    const moved = { ...task, runtime: { ...task.runtime, adapter: elsewhere } as typeof task.runtime };
    expect((await one.tune(moved)).counts.remembered).toBe(0);
    expect((await one.tune(taskFor(perceptron(), { adapter: "gpu" }))).counts.remembered).toBe(0);
  });

  it.each([
    ["a word", "winograd"],
    ["a tile that is no candidate", [{ blocksM: 77, blocksN: 1, workgroupM: 1, workgroupN: 1, slices: 1 }]],
    ["null", null],
    ["a list of the wrong length", []],
  ])("that holds %s is told of, measured again and mended", async (_, value) => {
    const { store, entries } = memoryStore();
    const { counts, choices } = await tune(taskFor(perceptron()), fakeRig(largeWins), { store });
    const [key] = entries.keys();
    const right = entries.get(key!);
    entries.set(key!, value);
    const warnings: string[] = [];
    const warn = (message: string) => warnings.push(message);
    const again = await tune(taskFor(perceptron()), fakeRig(largeWins), { store, warn });
    expect(again.counts).toEqual({ measured: 1, remembered: counts.measured - 1, skipped: 0 });
    expect(again.choices).toEqual(choices);
    expect(entries.get(key!)).toEqual(right);
    expect(warnings).toEqual([expect.stringMatching(/store holds no candidate for \w+\. It is measured again/)]);
  });

  it.each(["get", "set"] as const)("whose %s fails is told of once, and stops nothing", async (method) => {
    const { store } = memoryStore();
    const broken = { ...store, [method]: async () => Promise.reject(new Error("Access is denied.")) };
    const warnings: string[] = [];
    const warn = (message: string) => warnings.push(message);
    const { counts } = await tune(taskFor(perceptron()), fakeRig(largeWins), { store: broken, warn });
    expect(counts.measured).toBeGreaterThan(2);
    expect(warnings).toEqual([expect.stringMatching(/store cannot be (read|written): Access is denied\./)]);
  });
});

describe("tuner()", () => {
  it.each([
    [{ budget: 3 }, 'tuner has no option "budget". It takes: budgetMs, store, warn.'],
    [{ budgetMs: -1 }, "tuner: budgetMs must be a finite number of at least 0, got -1."],
    [
      { store: {} },
      "tuner: store must have get(key) and set(key, choices), as indexedDbStore() has, got an object with keys (none).",
    ],
    [{ warn: 3 }, "tuner: warn must be a function, got 3."],
  ])("refuses %j", (options, message) => {
    expect(failure(() => tuner(options as TunerOptions))).toMatchObject({ code: "value", message });
  });
});
