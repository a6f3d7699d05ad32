import { addOp } from "../../src/graph/graph.ts";
import type { Add } from "../../src/graph/op.ts";
import type { Tile } from "../../src/graph/tile.ts";
import type { PlanStep } from "../../src/plan/plan.ts";
import { Build } from "./building.ts";
import { allOps, byInput, opFor } from "./ops.ts";
import { MERGE_NOTHING } from "./recording.ts";
import { everySchedule } from "./schedules.ts";

const tiles: Tile[] = [
  { blocksM: 1, blocksN: 1, workgroupM: 8, workgroupN: 8, slices: 3 },
  { blocksM: 2, blocksN: 3, workgroupM: 2, workgroupN: 4, slices: 1 },
  { blocksM: 2, blocksN: 1, workgroupM: 4, workgroupN: 1, slices: 2, quad: true },
  { blocksM: 2, blocksN: 1, workgroupM: 2, workgroupN: 8, slices: 1, shared: true },
];

/** The steps of one node, not rewritten, for each of the tiles; by the last, which is shared, for a GPU too, none merged. */
function stepsOf(
  op: string,
  inputs: readonly (readonly number[] | undefined)[],
  attributes: object = {},
  dtypes: string[] = [],
) {
  const asked = [
    ...tiles.map((tile) => ({ tile, adapter: "software" as const })),
    { tile: tiles.at(-1)!, adapter: "gpu" as const },
  ];
  return asked.flatMap(({ tile, adapter }) => {
    const build = new Build();
    // Those of updates in place among them.
    for (const each of allOps.values()) addOp(build.graph, each);
    const ids = inputs.map((shape, i) => shape && build.input(`in${i}`, shape, (dtypes[i] ?? "f32") as "f32"));
    if ("update" in attributes) addOp(build.graph, opFor(attributes.update as string));
    build.want(...Object.values(build.add(op, byInput(op, ids), attributes)));
    return build.lower({ adapter, choices: { [op]: tile }, limits: MERGE_NOTHING }).steps;
  });
}

const state = [5];
/** Steps of each op of the library, lowered for several shapes, attributes and tiles. */
export const lowered = new Map<string, readonly PlanStep[]>();
type Variant = [inputs: readonly (readonly number[] | undefined)[], attributes?: object, dtypes?: string[]];
function cover(op: string, ...variants: readonly Variant[]): void {
  lowered.set(op, [...(lowered.get(op) ?? []), ...variants.flatMap((variant) => stepsOf(op, ...variant))]);
}

const gather = { batch: 4, sampleShape: [3, 3], scale: 1 };
cover(
  "batchGather",
  [[state, [1, 3, 3]], { ...gather, dtype: "f32" }, ["u32", "u8"]],
  [[state, [1, 3, 3], [1]], { ...gather, dtype: "f32" }, ["u32"]],
  [[state, [1, 4], [1]], { ...gather, sampleShape: [4], dtype: "f32" }, ["u32", "u8"]],
  [[state, [1, 3, 3], [1]], { ...gather, dtype: "u32" }, ["u32", "u32"]],
);
cover(
  "beginStep",
  [[state, state, [2], [1]], { shuffled: true }, ["u32", "u32", "u32", "u32"]],
  [[state, state, [2], [1]], { shuffled: false }, ["u32", "u32", "u32", "u32"]],
);
cover("batchScatter", [[state, [4, 10], [1, 10]]]);
cover("accumulationState", [[state], { steps: 3 }]);
cover("nadamFactors", [[state, [1]], { beta1: 0.9, beta2: 0.999 }]);
for (const each of everySchedule()) {
  each.rate({
    state: 0,
    add: ((_op: unknown, _inputs: unknown, attributes: object) => {
      cover("schedule", [[state], attributes]);
      return { rate: 1 };
    }) as unknown as Add,
  });
}
cover("batchRepeat", [[[1]], { batch: 7 }]);
cover(
  "sampleFactors",
  [[state, [4]], { batch: 4, scale: 1, byWeight: true }],
  [[state, [4]], { batch: 4, scale: 2.5, byWeight: false }],
  [[state, undefined], { batch: 4, scale: 1, byWeight: false }],
);
cover("batchMean", [[state, [4]], { weight: 0.5 }]);
cover("batchMeanGradient", [[state, [1]], { batch: 4, weight: 0.5 }]);
/** The state, so many numbers a sample, and their means. */
const means = (count: number) => [state, ...[0, 1, 2, 3].map((i) => (i < count ? [4] : undefined)), [5 * count]];
cover("advance", [[state], { batch: 4, first: 0 }]);
for (const count of [1, 2, 3, 4]) {
  cover("advance", [means(count), { batch: 4, first: 4 }]);
  cover("accumulateMeans", [means(count), { batch: 4, first: 0 }]);
}
for (const size of [7, 8]) {
  cover("fill", [[], { shape: [size], value: 1 }]);
  cover("add", [[[size], [size]]]);
  cover("multiply", [[[size], [size]]]);
  const kinds = ["linear", "relu", "sigmoid", "tanh", "elu", "leakyRelu", "softplus"];
  cover("activation", ...kinds.map((kind): Variant => [[[size]], { kind }]));
  cover("activationGradient", ...kinds.map((kind): Variant => [[[size], [size]], { kind }]));
  cover("activationSumGradient", ...kinds.map((kind): Variant => [[[size], [size], [size]], { kind }]));
}

for (const shape of [[7], [2, 1, 4]]) {
  cover("random", [[state], { shape, distribution: "uniform", seed: 1 }]);
  cover("random", [[state], { shape, distribution: "normal", seed: 1 }]);
}
const turned = { angle: { low: -0.5, high: 0.5 }, zoomX: { low: 1, high: 1, column: 1, kind: "sign" } };
cover("affineMatrix", [[[3, 2]], { height: 4, width: 5, ...turned, shiftY: { low: 0, high: 2, kind: "whole" } }]);
for (const [interpolation, fillMode, channels] of [
  ["nearest", "reflect", 3],
  ["bilinear", "constant", 4],
  ["bilinear", "wrap", 1],
]) {
  const attributes = { height: 3, width: 6, interpolation, fillMode, fillValue: 0.5 };
  cover("warp", [
    [
      [2, 4, 5, channels as number],
      [fillMode === "wrap" ? 1 : 2, 6],
    ],
    attributes,
  ]);
}
cover("mixDraws", [[state], { batch: 4, low: 0.1, high: 0.2, seed: 1 }]);
for (const size of [3, 8]) {
  cover("mixRows", [[[4, size], [4], [4]], {}, ["f32", "u32"]]);
  cover("cutRows", [[[4, 5, 3, size], [4], [4], [4, 2]], {}, ["f32", "u32"]]);
}
for (const width of [3, 8]) {
  cover("embedding", [
    [
      [2, 5],
      [7, width],
    ],
  ]);
  cover("embeddingGradient", [[[2, 5], [2, 5, width], state], { entries: 7 }]);
}
cover("transpose", [[[2, 3, 4]], { axes: [2, 0, 1] }]);
for (const interpolation of ["bilinear", "nearest"])
  for (const channels of [3, 4]) {
    const window = { axis: 1, size: 7, interpolation };
    cover("resample", [[[2, 5, channels]], window], [[[2, 5, channels]], { ...window, size: 3, antialias: true }]);
    cover("resampleGradient", [[[2, 7, channels]], { ...window, inputShape: [2, 5, channels] }]);
  }
cover("pad", [[[2, 5]], { before: [0, 1], after: [0, -2] }]);
for (const count of [1, 2, 7]) cover("concatenate", [new Array(count).fill([2, 3]), { axis: 1 }]);
const along = (axes: number[], kind = "sum") => ({ axes, kind, keepDims: false });
const ALL_LETTERS = ["add", ["add", ["add", "a", "b"], ["add", "c", "d"]], ["add", ["add", "e", "f"], "g"]];
cover(
  "pointwise",
  [new Array(7).fill([8]), { expression: ALL_LETTERS }],
  [new Array(7).fill([8, 2]), { expression: ALL_LETTERS, reduction: along([0]) }],
  [[[7]], { expression: ["exp", "a"] }],
  [[[8], [1]], { expression: ["log", ["add", "a", ["log1p", "b"]]], activation: "relu" }],
  [[[4, 3, 8], [8]], { expression: ["power", "a", ["erf", "b"]] }],
  [
    [
      [4, 3, 8],
      [4, 1, 1],
    ],
    { expression: ["maximum", "a", ["where", "b", ["expm1", "a"], ["sign", "a"]]] },
  ],
  [[[7, 65]], { expression: "a", reduction: along([1]) }],
  [[[7, 64]], { expression: ["erfc", "a"], reduction: along([0], "max") }],
  [[[70001]], { expression: ["minimum", "a", 1], reduction: along([0], "min") }],
);

const valid = { strides: [1, 1], padding: "valid" };
const same = { strides: [2, 1], padding: "same" };
const pooled = { ...valid, pool: [2, 2] };
const apart = { ...valid, padding: "same", dilation: [2, 3] };
const grouped = { ...valid, groups: 2 };
cover(
  "conv2d",
  [[[2, 7, 7, 4], [3, 3, 4, 8], [8]], valid],
  [
    [
      [2, 7, 7, 3],
      [3, 2, 3, 5],
    ],
    { ...same, activation: "tanh" },
  ],
  [[[2, 6, 6, 4], [3, 3, 4, 5], [5]], { ...pooled, activation: "relu" }],
  [[[2, 7, 7, 4], [3, 3, 4, 8], [8]], apart],
  [[[2, 5, 5, 6], [3, 3, 3, 10], [10]], grouped],
);
cover(
  "conv2dInputGradient",
  [
    [
      [2, 5, 5, 8],
      [3, 3, 4, 8],
    ],
    { ...valid, inputShape: [2, 7, 7, 4] },
  ],
  [
    [[2, 4, 7, 5], [3, 2, 3, 5], undefined, [2, 7, 7, 3]],
    { ...same, inputShape: [2, 7, 7, 3], gradientActivation: "relu" },
  ],
  [
    [
      [2, 2, 2, 5],
      [3, 3, 4, 5],
      [2, 2, 2, 2],
    ],
    { ...pooled, inputShape: [2, 6, 6, 4] },
  ],
  [
    [
      [2, 7, 7, 8],
      [3, 3, 4, 8],
    ],
    { ...apart, inputShape: [2, 7, 7, 4] },
  ],
  [
    [[2, 3, 3, 10], [3, 3, 3, 10], undefined, [2, 5, 5, 6]],
    { ...grouped, inputShape: [2, 5, 5, 6], gradientActivation: "tanh" },
  ],
);
cover(
  "conv2dFilterGradient",
  [[[2, 7, 7, 4], [2, 5, 5, 8], state], { ...valid, kernelShape: [3, 3, 4, 8], hasBias: false }],
  [[[2, 7, 7, 3], [2, 4, 7, 5], state], { ...same, kernelShape: [3, 2, 3, 5], hasBias: true }],
  [
    [[2, 6, 6, 4], [2, 2, 2, 5], state, [2, 2, 2, 2], [3, 3, 4, 5], [5], [1]],
    { ...pooled, kernelShape: [3, 3, 4, 5], hasBias: true, update: "sgd" },
  ],
  [[[2, 7, 7, 4], [2, 7, 7, 8], state], { ...apart, kernelShape: [3, 3, 4, 8], hasBias: true }],
  [[[2, 5, 5, 6], [2, 3, 3, 10], state], { ...grouped, kernelShape: [3, 3, 3, 10], hasBias: true }],
);
const twice = { strides: [2, 2], padding: "same" };
cover(
  "conv2dTranspose",
  [[[2, 3, 4, 4], [3, 3, 8, 4], [8]], { ...twice, activation: "tanh" }],
  [
    [
      [2, 3, 4, 3],
      [2, 3, 5, 3],
    ],
    { ...valid, outputPadding: [0, 0] },
  ],
);
cover("conv2dTransposeInputGradient", [
  [
    [2, 6, 8, 5],
    [3, 3, 5, 3],
    [2, 3, 4, 3],
  ],
  { ...twice, inputShape: [2, 3, 4, 3], gradientActivation: "relu" },
]);
cover(
  "conv2dTransposeFilterGradient",
  [[[2, 3, 4, 4], [2, 6, 8, 8], state], { ...twice, kernelShape: [3, 3, 8, 4], hasBias: true }],
  [
    [[2, 3, 4, 3], [2, 6, 8, 5], state, [3, 3, 5, 3], [5], [1]],
    { ...twice, kernelShape: [3, 3, 5, 3], hasBias: true, update: "sgd" },
  ],
);
cover(
  "depthwiseConv2d",
  [[[2, 7, 7, 4], [3, 3, 4, 1], [4]], valid],
  [
    [
      [2, 7, 7, 3],
      [3, 2, 3, 2],
    ],
    { ...same, activation: "tanh" },
  ],
  [[[2, 6, 6, 2], [3, 3, 2, 4], [8]], { ...pooled, activation: "relu" }],
  [[[2, 7, 7, 4], [3, 3, 4, 1], [4]], apart],
  [
    [
      [2, 7, 7, 3],
      [3, 3, 3, 1],
    ],
    { ...same, activation: "tanh" },
  ],
);
cover(
  "depthwiseConv2dInputGradient",
  [
    [
      [2, 5, 5, 4],
      [3, 3, 4, 1],
    ],
    { ...valid, inputShape: [2, 7, 7, 4] },
  ],
  [
    [[2, 4, 7, 6], [3, 2, 3, 2], undefined, [2, 7, 7, 3]],
    { ...same, inputShape: [2, 7, 7, 3], gradientActivation: "relu" },
  ],
  [
    [[2, 4, 7, 3], [3, 3, 3, 1], undefined, [2, 7, 7, 3]],
    { ...same, inputShape: [2, 7, 7, 3], gradientActivation: "relu" },
  ],
  [
    [
      [2, 2, 2, 8],
      [3, 3, 2, 4],
      [2, 2, 2, 2],
    ],
    { ...pooled, inputShape: [2, 6, 6, 2] },
  ],
);
cover(
  "depthwiseConv2dFilterGradient",
  [[[2, 7, 7, 4], [2, 5, 5, 4], state], { ...valid, kernelShape: [3, 3, 4, 1], hasBias: false }],
  [[[2, 7, 7, 3], [2, 4, 7, 6], state], { ...same, kernelShape: [3, 2, 3, 2], hasBias: true }],
  [[[2, 8, 8, 4], [2, 4, 8, 4], state], { ...same, kernelShape: [3, 3, 4, 1], hasBias: true }],
  [
    [[2, 6, 6, 2], [2, 2, 2, 8], state, [2, 2, 2, 2], [3, 3, 2, 4], [8], [1]],
    { ...pooled, kernelShape: [3, 3, 2, 4], hasBias: true, update: "sgd" },
  ],
);
const window = { size: [3, 2], strides: [2, 2], padding: "same" };
cover("maxPooling2d", [[[2, 7, 7, 3]], window]);
cover("averagePooling2d", [[[2, 7, 7, 3]], window]);
cover("maxPooling2dGradient", [
  [
    [2, 4, 4, 3],
    [2, 4, 4, 3],
  ],
  { ...window, inputShape: [2, 7, 7, 3] },
  ["f32", "u32"],
]);
cover("averagePooling2dGradient", [[[2, 4, 4, 3]], { ...window, inputShape: [2, 7, 7, 3] }]);
cover(
  "matmul",
  [
    [
      [4, 8],
      [8, 5],
    ],
  ],
  [
    [
      [6, 5],
      [8, 6],
    ],
    { transposeA: true, transposeB: true },
  ],
);
cover(
  "dense",
  [
    [
      [4, 8],
      [8, 5],
    ],
  ],
  [[[4, 7], [7, 8], [8]], { activation: "sigmoid" }],
  [[[2, 3, 7], [7, 8], [8]], { activation: "relu" }],
);
cover(
  "denseInputGradient",
  [
    [
      [4, 5],
      [8, 5],
    ],
  ],
  [
    [
      [4, 5],
      [8, 5],
      [4, 8],
    ],
    { gradientActivation: "tanh" },
  ],
);
cover(
  "denseFilterGradient",
  [[[5, 8], [5, 3], state], { hasBias: false }],
  [[[5, 2, 8], [5, 2, 3], state], { hasBias: true }],
  [[[5, 7], [5, 4], state, [7, 4], [4], [1]], { hasBias: true, update: "sgd" }],
);
// 8 points for a kernel of 5 x 5, in tiles of 4 x 4; 6 for one of 3 x 3 in the same, and of 2 x 2 in tiles of 5 x 5.
for (const [points, taps, pad] of [
  [8, 5, 0],
  [6, 3, 1],
  [6, 2, 0],
] as const) {
  const [inC, outC, size] = taps === 3 ? [3, 5, 6] : [4, 8, 5];
  const input = size + taps - 1 - 2 * pad;
  const x = [2, input, input, inC];
  const y = [2, size, size, outC];
  const tiled = { points, taps, inputShape: x, outputShape: y, pad: [pad, pad] };
  const tileCount = 2 * Math.ceil(size / (points + 1 - taps)) ** 2;
  const [v, u, m] = [
    [points ** 2, tileCount, inC],
    [points ** 2, inC, outC],
    [points ** 2, tileCount, outC],
  ] as const;
  const half = Math.floor(size / 2);
  const [pooledY, argmax] = [
    [2, half, half, outC],
    [2, half, half, 2],
  ];
  const k = [taps, taps, inC, outC];
  cover("winogradInput", [[x, state], tiled]);
  cover("winogradFilter", [[k], tiled]);
  cover("winogradOutput", [[m, [outC]], { ...tiled, activation: "relu" }], [[m], tiled]);
  cover("winogradOutputGradient", [[y, state], tiled]);
  if (taps !== 2) {
    cover("winogradOutput", [[m, [outC]], { ...tiled, activation: "tanh", pool: [2, 2] }]);
    cover("winogradOutputGradient", [[pooledY, state, argmax], { ...tiled, pool: [2, 2] }]);
  }
  cover("winogradInputGradient", [[v], tiled], [[v, x], { ...tiled, gradientActivation: "relu" }]);
  cover(
    "winogradFilterGradient",
    [[u, m], { ...tiled, hasBias: false }],
    [[u, m, k, [outC], [1]], { ...tiled, hasBias: true, update: "sgd" }],
  );
}
cover(
  "windowPooling",
  [[[2, 5, 6, 8]], { pool: [2, 2], activation: "relu", average: true }],
  [[[2, 5, 8, 3]], { pool: [1, 4] }],
);
for (const [x, given] of [
  [[2, 3, 3, 4], true],
  [[2, 7], false],
  // Cut into slices.
  [[65, 8, 8, 4], true],
  [[65, 8, 8, 3], false],
] as const) {
  const [channels, moments] = [[x.at(-1)!], [3, x.at(-1)!]];
  const own = [channels, channels];
  const scaling = given ? own : [];
  const activation = given ? "tanh" : undefined;
  const epsilon = 0.001;
  const residual = given ? x : undefined;
  const two = given ? own : [undefined, undefined];
  cover("normalization", [[x, ...own, ...scaling], { epsilon, activation }]);
  cover("normalization", [[x, ...own, ...two, residual], { epsilon, activation }]);
  cover("batchNormalization", [[x, state, ...own, ...scaling], { epsilon, activation, momentum: 0.9 }]);
  cover("batchNormalization", [[x, state, ...own, ...two, residual], { epsilon, activation, momentum: 0.9 }]);
  const wanted = { x: true, gamma: given, beta: given };
  const through = { incomingActivation: activation, gradientActivation: activation };
  const activated = [given ? x : undefined, given ? x : undefined];
  cover(
    "normalizationGradient",
    [[x, x, state, moments, undefined, undefined, undefined, ...activated], { epsilon, wanted, ...through }],
    [[x, x, state, undefined, ...own, given ? channels : undefined, ...activated], { epsilon, wanted, ...through }],
  );
}
// The activation below made what is normalized; nothing but means; nothing but sums.
cover(
  "normalizationGradient",
  [[[4, 4], [4, 4], state, [3, 4]], { epsilon: 0, wanted: { x: true, gamma: false, beta: false } }],
  [[[4, 4], [4, 4], state, [3, 4]], { epsilon: 0, wanted: { x: false, gamma: true, beta: true } }],
);
cover("softmax", [[[4, 10]]]);
cover("softmaxGradient", [
  [
    [4, 10],
    [4, 10],
  ],
]);
for (const [labels, dtype] of [
  [[4, 10], "f32"],
  [[4, 1], "u32"],
] as const) {
  const dtypes = ["f32", dtype, "u32"];
  for (const extras of [{}, { hasHits: true }, { weight: 0.5 }, { hasHits: true, weight: 0.5 }])
    cover("softmaxCrossEntropy", [[[4, 10], labels, state], extras, dtypes]);
  cover("softmaxCrossEntropyGradient", [[[4, 10], labels, [4], state], {}, ["f32", dtype, "f32", "u32"]]);
  cover("accuracy", [[[4, 10], labels, state], {}, dtypes]);
  cover("topKAccuracy", [[[4, 10], labels, state], { k: 3 }, dtypes]);
  const pixels = dtype === "u32" ? [4, 3, 3] : [4, 3, 3, 10];
  cover("softmaxCrossEntropy", [[[4, 3, 3, 10], pixels, state], {}, dtypes]);
  cover("thresholdCounts", [[[4, 10], labels, state, [2, 5]], {}, [...dtypes, "u32"]]);
  for (const attributes of [
    { count: 5, zerosApart: true },
    { count: 3, ranked: true, places: 10 },
  ])
    cover("thresholdRows", [[[4, 10], labels], attributes, dtypes]);
}
cover("nonNegative", [[[7]]], [[[4, 4]]]);
for (const axes of [[0], [1], [0, 1]]) cover("normConstraint", [[[3, 5]], { axes, least: 0, most: 1, rate: 0.5 }]);
cover("argmax", [[[4, 3]]]);
cover(
  "accumulateRows",
  [[[4, 3], state, undefined, [2, 3]], {}, ["f32", "u32"]],
  [[[4], state, [4], [2, 1]], {}, ["f32", "u32"]],
);
cover("oneHot", [[[4]], { shape: [4, 3] }], [[[4, 1]], { shape: [4, 3], ignored: 1 }, ["u32"]]);
cover(
  "denseCrossEntropy",
  [
    [[4, 8], [8, 12], [12], [4, 12], state],
    { inputGradient: true, gradientActivation: "relu", hasHits: true, weight: 0.5 },
    ["f32", "f32", "f32", "f32", "u32"],
  ],
  [
    [[4, 7], [7, 10], undefined, [4, 1], state],
    { inputGradient: true, weight: 0.5 },
    ["f32", "f32", "f32", "u32", "u32"],
  ],
  [[[4, 7], [7, 10], undefined, [4, 1], state], { inputGradient: false }, ["f32", "f32", "f32", "u32", "u32"]],
);
for (const size of [7, 8]) cover("dropout", [[[size], state], { rate: 0.25, seed: 1 }]);
for (const size of [7, 8]) {
  cover("squareSum", [[[size]]]);
  cover("scaleBy", [[[size], [1]]]);
  cover("clipValue", [[[size]], { limit: 0.5 }]);
}
cover("clipFactor", [[[1]], { clip: 1 }], [[[1], [64], [3], [2], [1]], {}], [[[1], [2]], { clip: 1, strict: true }]);
const rest = { epsilon: 1e-7, decay: 0, momentum: 0, centered: false, amsgrad: false };
for (const size of [7, 8]) {
  const [of, rate] = [[size], [1]];
  cover("sgd", [[of, of, rate]], [[of, of, rate, of], { MOMENTUM: 0.9, ...(size === 7 && { NESTEROV: true }) }]);
  cover(
    "adam",
    [[of, of, rate, state, [2, size]], { ...rest, beta1: 0.9, beta2: 0 }],
    [[of, of, rate, state, [3, size]], { ...rest, beta1: 0.9, beta2: 0.999, amsgrad: true, decay: 0.1 }],
  );
  cover(
    "rmsprop",
    [[of, of, rate, of], { ...rest, rho: 0.9 }],
    [[of, of, rate, of, of, of], { ...rest, rho: 0.9, momentum: 0.5, centered: true }],
  );
  cover("adagrad", [[of, of, rate, of], { offset: 0.1, decay: size === 7 ? 0 : 0.1 }]);
  const pair = [2, size];
  const share = { epsilon: 1e-7, decay: size === 7 ? 0 : 0.1 };
  cover("adadelta", [[of, of, rate, pair], { ...share, rho: 0.9 }]);
  cover("adamax", [[of, of, rate, state, pair], { ...share, beta1: 0.9, beta2: 0.999 }]);
  cover("nadam", [[of, of, rate, [3], pair], { ...share, beta1: 0.9, beta2: 0.999 }]);
  cover("accumulateGradient", [[state, of, of], { steps: size === 7 ? 2 : 3 }]);
  cover("movingAverage", [[state, of, of], { momentum: 0.9, overwrite: size === 7 ? 0 : 3, steps: 2 }]);
  cover("lion", [[of, of, rate, of], { decay: share.decay, beta1: 0.9, beta2: 0.99 }]);
}
