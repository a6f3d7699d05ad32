import { describe, expect, it } from "vitest";
import { averagePooling2d, conv2d, dense, flatten, input, type LayerSpec, model, sequential } from "../../src/index.ts";
import { INTERNALS } from "../../src/model/internals.ts";
import { summaryText } from "../../src/network/summary.ts";
import { articleLayers } from "../support/models.ts";

const architectureOf = (layers: readonly LayerSpec[]) => sequential(layers)[INTERNALS].architecture;

/** What `model.summary()` of Keras 3.15.1 prints for the article's network, in a terminal of 80 columns. */
const KERAS = `
Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ conv2d (Conv2D)                 │ (None, 24, 24, 32)     │           832 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ max_pooling2d (MaxPooling2D)    │ (None, 12, 12, 32)     │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ conv2d_1 (Conv2D)               │ (None, 8, 8, 64)       │        51,264 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ max_pooling2d_1 (MaxPooling2D)  │ (None, 4, 4, 64)       │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ flatten (Flatten)               │ (None, 1024)           │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense (Dense)                   │ (None, 1000)           │     1,025,000 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense_1 (Dense)                 │ (None, 10)             │        10,010 │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 1,087,106 (4.15 MB)
 Trainable params: 1,087,106 (4.15 MB)
 Non-trainable params: 0 (0.00 B)
`.trim();

/** A table without its widths: runs of spaces and of one line are as one. */
const narrow = (table: string) => table.replace(/ {2,}/g, " ").replace(/([━─])\1+/g, "$1");

describe("the article's network", () => {
  const text = summaryText("sequential", architectureOf(articleLayers()), 0);

  it("has Keras's table, but for the widths of its columns", () => {
    expect(narrow(text)).toBe(narrow(KERAS));
  });

  it("lines up", () => {
    const table = text.split("\n").slice(1, -3);
    const places = (line: string) => [...line].flatMap((sign, at) => (/[┃│┳╇┼┴┏┡├└┓┩┤┘]/.test(sign) ? [at] : []));
    for (const line of table) expect(places(line)).toEqual(places(table[0]!));
  });

  it("puts names and shapes to the left, numbers to the right", () => {
    const lines = text.split("\n");
    const cells = lines[4]!.split("│").slice(1, -1);
    expect(cells[0]).toMatch(/^ conv2d \(Conv2D\) +$/);
    expect(cells[1]).toMatch(/^ \(None, 24, 24, 32\) +$/);
    expect(cells[2]).toMatch(/^ +832 $/);
  });

  it("is named as the model is", () => {
    expect(summaryText("mnist", architectureOf(articleLayers()), 0).split("\n")[0]).toBe('Model: "mnist"');
  });
});

describe("totals", () => {
  const totals = (architecture: ReturnType<typeof architectureOf>, optimizer = 0) =>
    summaryText("m", architecture, optimizer)
      .split("\n")
      .slice(-(optimizer ? 4 : 3));

  it.each([
    // Keras: 12 (48.00 B), 300,010,000 (1.12 GB).
    [[3], 3, "12 (48.00 B)"],
    [[255], 1, "256 (1.00 KB)"],
    [[30000], 10000, "300,010,000 (1.12 GB)"],
  ])("of dense on %j: %i units have %s", (inputShape, units, want) => {
    expect(totals(architectureOf([dense({ units, inputShape })]))).toEqual([
      ` Total params: ${want}`,
      ` Trainable params: ${want}`,
      " Non-trainable params: 0 (0.00 B)",
    ]);
  });

  it("of a model without parameters are 0", () => {
    expect(totals(architectureOf([averagePooling2d({ inputShape: [8, 8, 3] })]))[0]).toBe(" Total params: 0 (0.00 B)");
  });

  it("tell frozen layers' parameters from those that are learned", () => {
    expect(
      totals(architectureOf([dense({ units: 3, inputShape: [3], trainable: false }), dense({ units: 2 })])),
    ).toEqual([" Total params: 20 (80.00 B)", " Trainable params: 8 (32.00 B)", " Non-trainable params: 12 (48.00 B)"]);
  });

  it("count a shared layer once", () => {
    const [a, b] = [input({ shape: [3] }), input({ shape: [3] })];
    const shared = dense({ units: 3 });
    const twins = model({ inputs: [a, b], outputs: { first: shared(a), second: shared(b) } });
    expect(totals(twins[INTERNALS].architecture)[0]).toBe(" Total params: 12 (48.00 B)");
    expect(twins.countParams()).toBe(12);
    expect(twins.layers).toEqual([
      { name: "dense", type: "Dense", outputShape: [3], outputShapes: [[3]], parameters: 12 },
    ]);
  });

  it("count what the optimizer keeps, on a line of its own too", () => {
    expect(totals(architectureOf([dense({ units: 3, inputShape: [3] })]), 24)).toEqual([
      " Total params: 36 (144.00 B)",
      " Trainable params: 12 (48.00 B)",
      " Non-trainable params: 0 (0.00 B)",
      " Optimizer params: 24 (96.00 B)",
    ]);
  });
});

describe("a model that is not built", () => {
  const text = summaryText(
    "m",
    architectureOf([conv2d({ filters: 4, kernelSize: 3 }), flatten(), dense({ units: 3 })]),
    0,
  );

  it("shows its layers, and that their shapes are not known", () => {
    const cells = text
      .split("\n")
      .filter((line) => line.startsWith("│"))
      .map((line) => line.split("│").map((cell) => cell.trim()));
    expect(cells.map(([, layer, shape]) => [layer, shape])).toEqual([
      ["conv2d (Conv2D)", "?"],
      ["flatten (Flatten)", "?"],
      ["dense (Dense)", "?"],
    ]);
    for (const [, , , count] of cells) expect(count).toContain("(unbuilt)");
    expect(text).toContain("Total params: 0 (0.00 B)");
  });
});
