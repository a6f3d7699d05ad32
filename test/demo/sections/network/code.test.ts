// The programs that the page writes of a network. The Python ones were run with Keras 3.15.

import { describe, expect, it } from "vitest";
import { describe as described } from "../../../../demo/engine/models.ts";
import { ARTICLE } from "../../../../demo/network.ts";
import { featuremapCode, kerasCode } from "../../../../demo/sections/network/code.ts";
import { highlight } from "../../../../demo/sections/network/highlight.ts";
import { parametersOf } from "../../../../demo/sections/network/words.ts";
import { ALL_OPTIONS, BARE, networkOf, OPTIMIZERS } from "../../../support/networks.ts";
import { typeErrors } from "../../../support/type-errors.ts";

const ARTICLE_IN_KERAS = `import keras
from keras import layers
from keras.datasets import mnist

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train = x_train[..., None].astype("float32") / 255
x_test = x_test[..., None].astype("float32") / 255

model = keras.Sequential([
    keras.Input((28, 28, 1)),
    layers.Conv2D(32, 5, activation="relu"),
    layers.MaxPooling2D(),
    layers.Conv2D(64, 5, activation="relu"),
    layers.MaxPooling2D(),
    layers.Flatten(),
    layers.Dense(1000, activation="relu"),
    layers.Dense(10, activation="softmax"),
])
model.compile(
    optimizer=keras.optimizers.SGD(),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(
    x_train,
    y_train,
    batch_size=128,
    epochs=10,
    validation_data=(x_test, y_test),
)
`;

const ARTICLE_IN_FEATUREMAP = `import {
  conv2d,
  dense,
  fetchIdx,
  flatten,
  maxPooling2d,
  sequential,
  sgd,
  tensor,
} from "featuremap";

// MNIST's four files, unpacked or not, lie beside the page.
async function load(files: string) {
  const images = await fetchIdx(\`\${files}-images-idx3-ubyte\`);
  const labels = await fetchIdx(\`\${files}-labels-idx1-ubyte\`);
  const shape = [...images.shape, 1];
  const x = tensor(images.data, shape, { scale: 1 / 255 });
  return [x, tensor(labels.data, labels.shape)] as const;
}

const model = sequential([
  conv2d({
    filters: 32,
    kernelSize: 5,
    activation: "relu",
    inputShape: [28, 28, 1],
  }),
  maxPooling2d(),
  conv2d({ filters: 64, kernelSize: 5, activation: "relu" }),
  maxPooling2d(),
  flatten(),
  dense({ units: 1000, activation: "relu" }),
  dense({ units: 10, activation: "softmax" }),
]);
await model.compile({
  loss: "sparseCategoricalCrossentropy",
  optimizer: sgd(),
  metrics: ["accuracy"],
});
const [x, y] = await load("mnist/train");
await model.fit(x, y, {
  batchSize: 128,
  epochs: 10,
  validationData: await load("mnist/t10k"),
});
`;

describe("the article's network", () => {
  it("in Keras", () => {
    expect(kerasCode(ARTICLE)).toBe(ARTICLE_IN_KERAS);
  });

  it("in featuremap", () => {
    expect(featuremapCode(ARTICLE)).toBe(ARTICLE_IN_FEATUREMAP);
  });
});

describe("the library", () => {
  it.each([
    ["the article's network", ARTICLE, 1_087_106],
    ["all options", ALL_OPTIONS, 9814],
    ["the least network", BARE, 7850],
  ])("counts as many parameters as Keras does in the program of %s", (_, network, inKeras) => {
    expect(parametersOf(described(network).layers)).toBe(inKeras);
  });
});

describe("options", () => {
  it("are written in Keras where they are not as by default", () => {
    expect(kerasCode(ALL_OPTIONS)).toContain(`
    keras.Input((28, 28, 1)),
    layers.Conv2D(3, 4, strides=2, padding="same", activation="tanh"),
    layers.AveragePooling2D(pool_size=3, strides=1),
    layers.Conv2D(128, 2),
    layers.MaxPooling2D(pool_size=3),
    layers.Flatten(),
    layers.Dropout(0.35),
    layers.Dense(7, activation="sigmoid"),
    layers.Dense(1),
    layers.Dense(10, activation="softmax"),
])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.05, momentum=0.9, nesterov=True),
`);
    expect(kerasCode(ALL_OPTIONS)).toContain("    batch_size=17,\n");
    expect(kerasCode(BARE)).not.toContain("batch_size");
  });

  it("have the names of each", () => {
    const network = networkOf([{ kind: "dense", units: 4, activation: "leakyRelu" }]);
    expect(kerasCode(network)).toContain('layers.Dense(4, activation="leaky_relu"),');
    expect(featuremapCode(network)).toContain('activation: "leakyRelu"');
  });

  it("are written in featuremap where they are not as by default", () => {
    const code = featuremapCode(ALL_OPTIONS);
    expect(code).toContain(`
  conv2d({
    filters: 3,
    kernelSize: 4,
    strides: 2,
    padding: "same",
    activation: "tanh",
    inputShape: [28, 28, 1],
  }),
  averagePooling2d({ poolSize: 3, strides: 1 }),
  conv2d({ filters: 128, kernelSize: 2 }),
  maxPooling2d({ poolSize: 3 }),
  flatten(),
  dropout({ rate: 0.35 }),
  dense({ units: 7, activation: "sigmoid" }),
  dense({ units: 1 }),
  dense({ units: 10, activation: "softmax" }),
]);`);
    expect(code).toContain("sgd({\n    learningRate: 0.05,\n    momentum: 0.9,\n    nesterov: true,\n  })");
    expect(code).toContain("  batchSize: 17,\n");
    expect(featuremapCode(BARE)).not.toContain("batchSize");
    expect(featuremapCode(BARE)).toContain("  flatten({ inputShape: [28, 28, 1] }),\n");
  });

  it("of optimizers are written alike", () => {
    const inBoth = OPTIMIZERS.map((optimizer) => {
      const network = { ...BARE, optimizer };
      return [
        /optimizers\.(.*),\n/.exec(kerasCode(network))![1],
        /optimizer: (.*),\n/.exec(featuremapCode(network))![1],
      ];
    });
    expect(inBoth).toEqual([
      ["SGD()", "sgd()"],
      ["SGD(learning_rate=0.1, momentum=0.5)", "sgd({ learningRate: 0.1, momentum: 0.5 })"],
      ["Adam()", "adam()"],
      ["RMSprop(learning_rate=0.0005)", "rmsprop({ learningRate: 0.0005 })"],
      ["Adagrad(learning_rate=1.0)", "adagrad({ learningRate: 1 })"],
    ]);
  });
});

describe("the featuremap program", () => {
  it("is right by the library's types", async () => {
    const programs = [ARTICLE, ALL_OPTIONS, ...OPTIMIZERS.map((optimizer) => ({ ...BARE, optimizer }))].map(
      featuremapCode,
    );
    expect(await typeErrors(numbered(programs))).toBe("");
  }, 120_000);

  it("would be found wrong by them", async () => {
    const wrong = featuremapCode(ARTICLE).replace("kernelSize: 5", "kernel: 5");
    expect(await typeErrors(numbered([wrong]))).toContain("'kernel' does not exist");
  }, 120_000);
});

function numbered(programs: readonly string[]): Map<string, string> {
  return new Map(programs.map((program, i) => [`program-${i}.ts`, program]));
}

describe("highlighting", () => {
  it.each([kerasCode(ALL_OPTIONS), featuremapCode(ALL_OPTIONS)])("keeps every character", (code) => {
    expect(
      highlight(code)
        .map(({ text }) => text)
        .join(""),
    ).toBe(code);
  });

  it("tells what is what", () => {
    const kinds = (code: string) =>
      highlight(code).flatMap(({ kind, text }) => (kind === "plain" ? [] : [`${kind} ${text}`]));
    expect(kinds('from a import b # from "c"')).toEqual(["keyword from", "keyword import", 'comment # from "c"']);
    expect(kinds('const x2 = f("a 1", 0.5);')).toEqual(["keyword const", 'string "a 1"', "number 0.5"]);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: code in code
    expect(kinds("await `${a}-images` // 1")).toEqual([
      "keyword await",
      expect.stringMatching(/^string `.*`$/),
      "comment // 1",
    ]);
  });
});
