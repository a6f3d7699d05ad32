// Editing the page's network: what a change does, what is undone, and what the page keeps.

import { describe, expect, it } from "vitest";
import { describe as described } from "../../demo/engine/models.ts";
import { ARTICLE, type LayerKind, type NetworkSpec } from "../../demo/network.ts";
import { LAYER_KINDS, MOST_LAYERS } from "../../demo/network-check.ts";
import {
  canAdd,
  canMove,
  canRemove,
  moved,
  optimizerNamed,
  withLayer,
  withNew,
  without,
  withRate,
} from "../../demo/sections/network/edits.ts";
import { optionsOf, parameterFormula, roughMemory } from "../../demo/sections/network/words.ts";
import { createDraft, type Description } from "../../demo/state/draft.ts";
import { ALL_OPTIONS, BARE } from "../support/networks.ts";

const kinds = ({ layers }: NetworkSpec): LayerKind[] => layers.map(({ kind }) => kind);

describe("an edit", () => {
  it("puts a new layer before another", () => {
    expect(kinds(withNew(ARTICLE, 0, "averagePooling2d")).slice(0, 2)).toEqual(["averagePooling2d", "conv2d"]);
    for (const kind of LAYER_KINDS) expect(withNew(BARE, 1, kind).layers[1]!.kind).toBe(kind);
  });

  it("changes, takes out and moves one layer, and leaves the others", () => {
    const flat = { kind: "flatten" } as const;
    expect(withLayer(ARTICLE, 1, flat).layers).toEqual(ARTICLE.layers.map((layer, i) => (i === 1 ? flat : layer)));
    expect(without(ARTICLE, 1).layers).toEqual(ARTICLE.layers.filter((_, i) => i !== 1));
    expect(kinds(moved(ARTICLE, 0, 1)).slice(0, 2)).toEqual(["maxPooling2d", "conv2d"]);
    expect(moved(moved(ARTICLE, 3, -1), 2, 1)).toEqual(ARTICLE);
  });

  it("never moves or takes out the last layer, nor goes beyond the ends", () => {
    const last = ARTICLE.layers.length - 1;
    expect([canRemove(ARTICLE, last), canRemove(ARTICLE, last - 1), canRemove(ARTICLE, -1)]).toEqual([
      false,
      true,
      false,
    ]);
    expect([canMove(ARTICLE, 0, -1), canMove(ARTICLE, last - 1, 1), canMove(ARTICLE, last, -1)]).toEqual([
      false,
      false,
      false,
    ]);
    expect([canMove(ARTICLE, 0, 1), canMove(ARTICLE, last - 1, -1)]).toEqual([true, true]);
  });

  it("adds no more layers than the page takes", () => {
    let network = BARE;
    while (canAdd(network)) network = withNew(network, 0, "flatten");
    expect(network.layers.length).toBe(MOST_LAYERS);
  });

  it("of the optimizer begins with its usual rate and drops what it does not have", () => {
    expect(optimizerNamed("adam")).toEqual({ name: "adam", learningRate: 0.001 });
    expect(withRate({ name: "adam", learningRate: 0.001 }, { learningRate: 0.01 })).toEqual({
      name: "adam",
      learningRate: 0.01,
    });
    const sgd = { name: "sgd", learningRate: 0.1 } as const;
    const heavy = withRate(sgd, { momentum: 0.9 });
    expect(heavy).toEqual({ ...sgd, momentum: 0.9 });
    expect(withRate(heavy, { nesterov: true })).toEqual({ ...sgd, momentum: 0.9, nesterov: true });
    expect(withRate(withRate(heavy, { nesterov: true }), { momentum: 0 })).toEqual(sgd);
  });
});

describe("what is said of a layer", () => {
  it.each([ARTICLE, ALL_OPTIONS])("counts parameters as the library does", (network) => {
    const { layers, problem } = described(network);
    expect(problem).toBeUndefined();
    for (const [i, layer] of network.layers.entries()) {
      const formula = parameterFormula(layer, layers[i - 1]?.outputShape ?? [28, 28, 1]);
      const value = formula ? new Function(`return ${formula.replaceAll("×", "*").replaceAll(",", "")}`)() : 0;
      expect(value).toBe(layers[i]!.parameters);
    }
  });

  it("names options that are not as by default", () => {
    expect(ARTICLE.layers.map(optionsOf)).toEqual([
      "5 × 5, relu",
      "2 × 2",
      "5 × 5, relu",
      "2 × 2",
      "in one row",
      "relu",
      "softmax",
    ]);
    expect(ALL_OPTIONS.layers.slice(0, 2).map(optionsOf)).toEqual(["4 × 4, stride 2, padded, tanh", "3 × 3, stride 1"]);
    expect([0.35, 0.125].map((rate) => optionsOf({ kind: "dropout", rate }))).toEqual(["drops 35%", "drops 12.5%"]);
  });

  it("is about as much memory as the article's network was measured to take, and more with more to keep", () => {
    const { layers } = described(ARTICLE);
    const plain = roughMemory(ARTICLE, layers);
    expect(plain / 1e6).toBeGreaterThan(30);
    expect(plain / 1e6).toBeLessThan(40);
    const adam = roughMemory({ ...ARTICLE, optimizer: optimizerNamed("adam") }, layers);
    expect(adam - plain).toBe(1_087_106 * 2 * 4);
  });
});

/** A draft beside the library's own answers, which come when `answer` is called. */
function drafting(first: NetworkSpec = ARTICLE) {
  const kept: NetworkSpec[] = [];
  const errors: unknown[] = [];
  let time = 0;
  const draft = createDraft(first, {
    describe: async (network): Promise<Description> => described(network),
    onFit: (network) => void kept.push(network),
    onError: (error) => void errors.push(error),
    now: () => time,
  });
  const settle = () => new Promise((resolve) => setTimeout(resolve));
  return { draft, kept, errors, settle, wait: (ms: number) => (time += ms) };
}

describe("the draft", () => {
  it("is kept by the page as soon as it fits, and only then", async () => {
    const { draft, kept, settle } = drafting();
    await settle();
    expect(kept).toEqual([ARTICLE]);
    const big = withLayer(ARTICLE, 2, { ...ARTICLE.layers[2]!, kernelSize: 20 } as (typeof ARTICLE.layers)[number]);
    draft.change(big);
    await settle();
    expect(draft.network.value).toBe(big);
    expect(draft.description.value!.problem).toEqual({
      layer: 2,
      message: expect.stringMatching(/slides a window of \[20, 20\] over an image of \[12, 12/),
    });
    expect(kept).toEqual([ARTICLE]);
    const small = without(big, 2);
    draft.change(small);
    await settle();
    expect(kept).toEqual([ARTICLE, small]);
  });

  it("is told of a missing flatten() in the library's words, at the layer", async () => {
    const { draft, settle } = drafting(without(ARTICLE, 4));
    await settle();
    expect(draft.description.value!.problem).toEqual({
      layer: 4,
      message: expect.stringMatching(/wants a row of numbers.* Add a flatten before it/),
    });
  });

  it("goes back and forth, and forgets what was undone once it is changed", async () => {
    const { draft, settle, kept } = drafting();
    const [a, b] = [without(ARTICLE, 0), without(ARTICLE, 1)];
    expect([draft.canUndo.value, draft.canRedo.value]).toEqual([false, false]);
    draft.change(a);
    draft.change(b);
    draft.undo();
    expect(draft.network.value).toBe(a);
    draft.undo();
    draft.undo();
    expect(draft.network.value).toBe(ARTICLE);
    draft.redo();
    draft.redo();
    draft.redo();
    expect(draft.network.value).toBe(b);
    draft.undo();
    draft.change(ARTICLE);
    expect(draft.canRedo.value).toBe(false);
    await settle();
    expect(kept.at(-1)).toBe(ARTICLE);
  });

  it("undoes a knob's turn as one, and a later turn apart", () => {
    const { draft, wait } = drafting();
    const sized = (batchSize: number) => ({ ...ARTICLE, batchSize });
    draft.change(sized(1), "batchSize");
    wait(500);
    draft.change(sized(12), "batchSize");
    wait(500);
    draft.change(sized(120), "batchSize");
    wait(5000);
    draft.change(sized(64), "batchSize");
    draft.undo();
    expect(draft.network.value.batchSize).toBe(120);
    draft.undo();
    expect(draft.network.value).toBe(ARTICLE);
  });

  it("tells of an engine that fails", async () => {
    const errors: unknown[] = [];
    createDraft(ARTICLE, {
      describe: () => Promise.reject(new Error("gone")),
      onFit: () => {},
      onError: (error) => void errors.push(error),
      now: () => 0,
    });
    await new Promise((resolve) => setTimeout(resolve));
    expect(errors).toEqual([new Error("gone")]);
  });
});
