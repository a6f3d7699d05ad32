import { describe, expect, it } from "vitest";
import {
  conv2d,
  defineLayer,
  dense,
  flatten,
  input,
  model,
  ops,
  plotConfusionMatrix,
  plotHistory,
  plotModel,
  sequential,
} from "../../src/index.ts";
import { layeredLayout } from "../../src/plot/layered-layout.ts";
import { escaped } from "../../src/plot/svg.ts";
import { failure } from "../support/building.ts";

/** Asserts that a text is XML whose elements are closed in order, and gives the words of its text elements. */
function wordsOf(svg: string): string[] {
  const open: string[] = [];
  for (const [, end, name, closed] of svg.matchAll(/<(\/?)([a-z]+)(?:\s[^<>]*?)?(\/?)>/g)) {
    if (end) expect(open.pop()).toBe(name);
    else if (!closed) open.push(name!);
  }
  expect(open).toEqual([]);
  expect(svg.replace(/<[^<>]*>/g, "")).not.toMatch(/[<>]/);
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text!);
}

const count = (svg: string, name: string) => svg.split(`<${name} `).length - 1;

describe("escaped", () => {
  it("leaves nothing that XML would read, or cannot hold", () => {
    expect(escaped(`<a b="c" d='e'>&`)).toBe("&#60;a b=&#34;c&#34; d=&#39;e&#39;&#62;&#38;");
    expect(escaped("a\u0000b\ud800c\uffffd")).toBe("a\ufffdb\ufffdc\ufffdd");
    expect(escaped("Ω 😀 数")).toBe("Ω 😀 数");
  });
});

describe("layeredLayout", () => {
  const sizes = [40, 60, 50, 70, 30, 40].map((along) => ({ along, across: 20 }));
  const edges = [
    { from: 0, to: 1 },
    { from: 0, to: 2 },
    { from: 1, to: 3 },
    { from: 2, to: 3 },
    { from: 0, to: 3 },
    { from: 3, to: 4 },
    { from: 0, to: 4 },
    { from: 3, to: 5 },
  ];
  const { centres, bends, along, across } = layeredLayout(sizes, edges);

  it("puts every box after those that lead to it, and none over another", () => {
    for (const { from, to } of edges) expect(centres[to]!.across).toBeGreaterThan(centres[from]!.across + 20);
    centres.forEach((a, i) => {
      centres.forEach((b, k) => {
        if (i === k) return;
        const apart = Math.abs(a.along - b.along) >= (sizes[i]!.along + sizes[k]!.along) / 2;
        expect(apart || Math.abs(a.across - b.across) >= 20).toBe(true);
      });
    });
  });

  it("stays within its size", () => {
    centres.forEach((centre, i) => {
      expect(centre.along - sizes[i]!.along / 2).toBeGreaterThanOrEqual(-1e-9);
      expect(centre.along + sizes[i]!.along / 2).toBeLessThanOrEqual(along + 1e-9);
      expect(centre.across + 10).toBeLessThanOrEqual(across + 1e-9);
    });
  });

  it("leads edges past boxes, not through them", () => {
    expect(bends.map((points) => points.length)).toEqual([0, 0, 0, 0, 2, 0, 4, 0]);
    for (const point of bends.flat())
      centres.forEach((centre, i) => {
        const inside = Math.abs(point.along - centre.along) < sizes[i]!.along / 2;
        expect(inside && Math.abs(point.across - centre.across) <= 10).toBe(false);
      });
  });

  it("keeps a row straight", () => {
    const row = layeredLayout(sizes.slice(0, 3), [
      { from: 0, to: 1 },
      { from: 1, to: 2 },
    ]);
    expect(new Set(row.centres.map((centre) => Math.round(centre.along * 1e6))).size).toBe(1);
  });
});

describe("plotModel", () => {
  const layers = () => [
    conv2d({ filters: 4, kernelSize: 3, inputShape: [6, 6, 1], trainable: false }),
    flatten(),
    dense({ units: 3, name: "a & <b>" }),
  ];

  it("draws each layer with its shapes and parameters, and an arrow for each tensor", () => {
    const svg = plotModel(sequential(layers()));
    expect(wordsOf(svg)).toEqual([
      "input (Input)",
      "[batch, 6, 6, 1]",
      "conv2d (Conv2D)",
      "[batch, 6, 6, 1] → [batch, 4, 4, 4]",
      "40 parameters, frozen",
      "flatten (Flatten)",
      "[batch, 4, 4, 4] → [batch, 64]",
      "a &#38; &#60;b&#62; (Dense)",
      "[batch, 64] → [batch, 3]",
      "195 parameters",
    ]);
    expect(count(svg, "rect")).toBe(4);
    expect(count(svg, "path")).toBe(3 * 2);
    expect(count(svg, "rect")).toBe(svg.split('stroke="currentColor"').length - 1 - 3);
    expect(svg.split("stroke-dasharray").length).toBe(2);
    expect(svg).toContain('aria-label="Model &#34;sequential&#34;: 3 layers"');
  });

  it("leaves out what is not wanted", () => {
    const bare = { showShapes: false, showParams: false, showLayerNames: false };
    expect(wordsOf(plotModel(sequential(layers()), bare))).toEqual(["Input", "Conv2D", "Flatten", "Dense"]);
  });

  it("draws branches, several inputs, and each use of a shared layer", () => {
    const [a, b] = [input({ shape: [3], name: "a" }), input({ shape: [3], name: "b" })];
    const shared = dense({ units: 3 });
    const sum = defineLayer({ type: "Sum", call: ({ inputs: [p, q], add }) => add(ops.add, { a: p!, b: q! }).c });
    const svg = plotModel(model({ inputs: [a, b], outputs: sum([shared(a), shared(b)]) }), { rankdir: "LR" });
    expect(wordsOf(svg)).toContain("dense/use_2 (Dense)");
    expect(wordsOf(svg)).toContain("[batch, 3], [batch, 3] → [batch, 3]");
    expect(count(svg, "rect")).toBe(5);
    expect(count(svg, "path")).toBe(4 * 2);
  });

  it.each([
    [() => plotModel({} as never), "value", "plotModel: model must come from"],
    [() => plotModel(sequential([dense({ units: 1 })])), "state", "give the first layer an inputShape"],
    [
      () => plotModel(sequential(layers()), { rankdir: "BT" as never }),
      "value",
      'plotModel: rankdir must be one of "TB"',
    ],
    [() => plotModel(sequential(layers()), { shapes: true } as never), "value", 'plotModel has no option "shapes"'],
  ])("refuses what is wrong: %#", (make, code, message) => {
    const error = failure(make);
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });
});

describe("plotHistory", () => {
  const epoch = [0, 1, 2, 3];
  const history = { loss: [2, 1, 0.5, 0.25], val_loss: [2.5, 1.5], "a<b": [0, 0.5, Number.NaN, 1] };

  it("has a panel for each figure, with its validation dashed", () => {
    const svg = plotHistory({ epoch, history }, { title: "MNIST & more" });
    const words = wordsOf(svg);
    expect(words).toContain("MNIST &#38; more");
    expect(words).toContain("a&#60;b");
    expect(words.filter((word) => word === "training").length).toBe(2);
    expect(words.filter((word) => word === "validation").length).toBe(1);
    expect(words.filter((word) => word === "epoch").length).toBe(2);
    // A point for each number: four of the loss, two of its validation, three of the metric, whose NaN is a gap.
    expect(count(svg, "circle")).toBe(9);
    const paths = [...svg.matchAll(/<path d="([^"]*)"/g)].map(([, d]) => d!);
    expect(paths.map((d) => [d.split("M").length - 1, d.split("L").length - 1])).toEqual([
      [1, 3],
      [1, 1],
      [2, 1],
    ]);
  });

  it("puts numbers where they belong", () => {
    const svg = plotHistory({ epoch, history: { loss: [0, 1, 2, 4] } }, { width: 360, height: 240 });
    // Between the margins: 52 to 346 across, 202 up to 40.
    const points = [...svg.matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);
    expect(points).toEqual([
      [52, 202],
      [150, 161.5],
      [248, 121],
      [346, 40],
    ]);
    expect(wordsOf(svg)).toEqual(expect.arrayContaining(["0", "1", "2", "3", "4", "epoch"]));
  });

  it("puts a figure of every second epoch at those epochs", () => {
    const svg = plotHistory({ epoch, history: { loss: [0, 0, 0, 0], val_loss: [1, 2] } });
    const points = [...svg.matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x]) => Number(x));
    expect(points).toEqual([52, 150, 248, 346, 150, 346]);
  });

  it.each([
    ["one epoch", { epoch: [0], history: { loss: [3] } }],
    ["equal numbers", { epoch: [0, 1], history: { loss: [3, 3] } }],
    ["zeros", { epoch: [0, 1], history: { loss: [0, 0] } }],
    ["large and small numbers", { epoch: [0, 1], history: { loss: [1e30, 1e-30], a: [1e-9, 3e-9], b: [-5, 5] } }],
    ["no finite number", { epoch: [0, 1], history: { loss: [Number.NaN, Number.POSITIVE_INFINITY] } }],
    ["no epoch", { epoch: [], history: { loss: [] } }],
    ["many epochs", { epoch: Array.from({ length: 500 }, (_, i) => i), history: { loss: new Array(500).fill(1) } }],
    ["an epoch of a resumed fit", { epoch: [7, 8], history: { loss: [1, 2] } }],
  ])("draws %s", (_, given) => {
    expect(wordsOf(plotHistory(given)).length).toBeGreaterThan(1);
  });

  it.each([
    [() => plotHistory({ loss: [1] } as never), "plotHistory: history must be what fit() returns"],
    [
      () => plotHistory({ epoch, history: { loss: "no" } } as never),
      "plotHistory: history.history.loss must be an array",
    ],
    [() => plotHistory({ epoch, history: { loss: [1, "2"] } } as never), "history.loss[1] must be a number"],
    [() => plotHistory({ epoch, history: {} }), "plotHistory: the history has no figures"],
    [
      () => plotHistory({ epoch, history }, { figures: ["accuracy"] }),
      "plotHistory: figures[0] must be the name of a figure",
    ],
    [
      () => plotHistory({ epoch, history }, { width: 10 }),
      "plotHistory: width must be a finite number of at least 280",
    ],
  ])("refuses what is wrong: %#", (make, message) => {
    const error = failure(make);
    expect(error.code).toBe("value");
    expect(error.message).toContain(message);
  });
});

describe("plotConfusionMatrix", () => {
  it("has a cell for each pair of classes, as dark as its share of the row", () => {
    const svg = plotConfusionMatrix([[48, 2], Uint32Array.of(0, 45)], { labels: ["cat", "<dog>"], title: "Pets" });
    expect(wordsOf(svg)).toEqual([
      "Pets",
      "predicted",
      "true",
      "48",
      "2",
      "0",
      "45",
      "cat",
      "cat",
      "&#60;dog&#62;",
      "&#60;dog&#62;",
    ]);
    const opacities = [...svg.matchAll(/--plot-1[^>]*fill-opacity="([\d.]+)"/g)].map(([, value]) => Number(value));
    expect(opacities).toEqual([0.62, 0.03, 0.65]);
    expect(svg).toContain('aria-label="Pets: 93 of 95 right"');
  });

  it("has no numbers where there is no room, and fewer labels", () => {
    const n = 60;
    const matrix = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));
    const words = wordsOf(plotConfusionMatrix(matrix));
    expect(words.length).toBe(2 + 2 * 30);
    expect(wordsOf(plotConfusionMatrix(matrix, { cellSize: 20 })).length).toBe(2 + 2 * n + n * n);
  });

  it("turns long labels, and cuts longer ones", () => {
    const svg = plotConfusionMatrix([[1]], { labels: ["a word that goes on and on and does not end"] });
    expect(svg).toContain("rotate(-90)");
    expect(wordsOf(svg).at(-1)).toMatch(/^a word that .*…$/);
  });

  it.each([
    [[], "matrix must have 1 to 1024 rows, got []"],
    [[[1, 2]], "matrix[0] must have 1 numbers"],
    [
      [
        [1, 2],
        [3, -1],
      ],
      "matrix[1][1] must be a finite number of at least 0",
    ],
    [[[Number.NaN]], "matrix[0][0] must be a finite number"],
    [["1"], "matrix[0] must be an array of numbers"],
    [7, "matrix must be an array"],
  ])("refuses %j", (matrix, message) => {
    const error = failure(() => plotConfusionMatrix(matrix as never));
    expect(error.code).toBe("value");
    expect(error.message).toContain(`plotConfusionMatrix: ${message}`);
  });

  it("refuses labels that are not one a class", () => {
    expect(failure(() => plotConfusionMatrix([[1]], { labels: ["a", "b"] })).message).toContain(
      "labels must be 1 word",
    );
  });
});
