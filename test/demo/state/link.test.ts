import { describe, expect, it } from "vitest";
import { ARTICLE } from "../../../demo/network.ts";
import { ACTIVATIONS, LIMITS, MOST_LAYERS } from "../../../demo/network-check.ts";
import { decodeNetwork, encodeNetwork, readHash, writeHash } from "../../../demo/state/link.ts";
import { ALL_OPTIONS, BARE, networkOf, OPTIMIZERS } from "../../support/networks.ts";

const ARTICLES = "1~conv-32-5-relu~max-2~conv-64-5-relu~max-2~flatten~dense-1000-relu~sgd-0.01~batch-128";

describe("a link", () => {
  it("says the article's network in words", () => {
    expect(encodeNetwork(ARTICLE)).toBe(ARTICLES);
    expect(decodeNetwork(ARTICLES)).toEqual(ARTICLE);
  });

  it("says every option that is not as by default", () => {
    const text =
      "1~conv-3-4-s2-same-tanh~average-3-s1~conv-128-2~max-3~flatten~dropout-0.35~dense-7-sigmoid~dense-1~sgd-0.05-m0.9-nesterov~batch-17";
    expect(encodeNetwork(ALL_OPTIONS)).toBe(text);
    expect(decodeNetwork(text)).toEqual(ALL_OPTIONS);
  });

  it.each(OPTIMIZERS)("brings back $name of $learningRate", (optimizer) => {
    const network = { ...BARE, optimizer };
    expect(decodeNetwork(encodeNetwork(network))).toEqual(network);
  });

  it.each(ACTIVATIONS)("brings back the activation %s", (activation) => {
    const network = networkOf([{ kind: "dense", units: 4, activation }]);
    expect(decodeNetwork(encodeNetwork(network))).toEqual(network);
  });

  it("brings back every limit", () => {
    const { filters, kernelSize, strides, poolSize, units, batchSize, learningRate, momentum, rate } = LIMITS;
    for (const end of ["min", "max"] as const) {
      const activation = "relu";
      const network = networkOf(
        [
          {
            kind: "conv2d",
            filters: filters[end],
            kernelSize: kernelSize[end],
            strides: strides[end],
            padding: "same",
            activation,
          },
          { kind: "maxPooling2d", poolSize: poolSize[end], strides: strides[end] },
          { kind: "dropout", rate: rate[end] },
          { kind: "dense", units: units[end], activation },
        ],
        {
          batchSize: batchSize[end],
          optimizer: {
            name: "sgd",
            learningRate: learningRate[end],
            ...(end === "max" && { momentum: momentum[end] }),
          },
        },
      );
      expect(decodeNetwork(encodeNetwork(network))).toEqual(network);
    }
  });

  it("survives what chat programs do to addresses", () => {
    expect(decodeNetwork(ARTICLES.replaceAll("~", "%7E"))).toEqual(ARTICLE);
  });

  it("needs no escapes", () => {
    expect(new URL(`https://a.b/#net=${encodeNetwork(ALL_OPTIONS)}`).hash).toBe(`#net=${encodeNetwork(ALL_OPTIONS)}`);
    expect(encodeURIComponent(encodeNetwork(ALL_OPTIONS))).toBe(encodeNetwork(ALL_OPTIONS));
  });
});

describe("a link that is none", () => {
  const rest = "sgd-0.01~batch-128";
  it.each([
    ["", /version is ""; this page reads version 1/],
    ["2~flatten~sgd-0.01~batch-128", /version is "2"/],
    ["1", /optimizer must be one of sgd, adam, rmsprop, adagrad, got ""/],
    ["1~flatten", /optimizer must be one of/],
    [`1~flatten~batch-128`, /optimizer must be one of .* got "flatten"/],
    [`1~lstm-3~${rest}`, /layer "lstm-3", which this page does not know/],
    [`1~conv-8~${rest}`, /Layer 1: kernelSize must be a number from 1 to 28, got undefined/],
    [`1~conv-0-3~${rest}`, /Layer 1: filters must be a number from 1 to 128, got 0/],
    [`1~conv-129-3~${rest}`, /Layer 1: filters must be a number from 1 to 128, got 129/],
    [`1~conv-8-3.5~${rest}`, /Layer 1: kernelSize must be a whole number, got 3.5/],
    [`1~conv--8-3~${rest}`, /Layer 1: filters must be a number/],
    [
      `1~conv-8-3-gelu~${rest}`,
      /Layer 1: activation must be one of relu, leakyRelu, elu, softplus, sigmoid, tanh, linear, got "gelu"/,
    ],
    [`1~conv-8-3-softmax~${rest}`, /Layer 1: activation must be one of/],
    [`1~conv-8-3-relu-tanh~${rest}`, /not written as this page writes it, which is 1~conv-8-3-tanh~/],
    [`1~conv-8-3-9~${rest}`, /not written as this page writes it/],
    [`1~flatten-relu~${rest}`, /not written as this page writes it/],
    [`1~max-2-same~${rest}`, /not written as this page writes it/],
    [`1~dense-4096~${rest}`, /Layer 1: units must be a number from 1 to 2048, got 4096/],
    [`1~dropout~${rest}`, /Layer 1: rate must be a number from 0.01 to 0.9, got undefined/],
    [`1~dropout-1~${rest}`, /Layer 1: rate must be a number from 0.01 to 0.9, got 1/],
    [`1~dropout-0.5-0.5~${rest}`, /not written as this page writes it/],
    ["1~flatten~sgd-11~batch-128", /learning rate must be a number from 0.00001 to 10, got 11/],
    ["1~flatten~sgd-0.01-m1~batch-128", /momentum must be a number from 0 to 0.99, got 1/],
    ["1~flatten~sgd-0.01-nesterov~batch-128", /not written as this page writes it/],
    ["1~flatten~adam-0.01-m0.5~batch-128", /not written as this page writes it/],
    ["1~flatten~sgd-0.01~batch-0", /batch size must be a number from 1 to 1024, got 0/],
    ["1~flatten~sgd-0.01~batch-1e9", /batch size must be a number/],
    ["1~flatten~sgd-0.01~128", /batch size must be a number/],
    ["1~__proto__-1~sgd-0.01~batch-8", /which this page does not know/],
    [`1~${"flatten~".repeat(MOST_LAYERS)}${rest}`, /17 layers; this page takes 16/],
    ["1~%E0%A4%A", /It has a % that begins no character/],
  ])("%s: says what is wrong", (text, message) => {
    expect(() => decodeNetwork(text)).toThrow(message);
  });
});

describe("an address's hash", () => {
  it.each([
    ["", {}],
    ["#train", { section: "train" }],
    ["#net=1~a", { network: "1~a" }],
    ["#train&net=1~a", { section: "train", network: "1~a" }],
  ])("%s holds a section, a network, both or none", (hash, place) => {
    expect(readHash(hash)).toEqual({ section: undefined, network: undefined, ...place });
    expect(writeHash(place)).toBe(hash);
  });

  it("leaves out what is empty", () => {
    expect(writeHash({ section: "train", network: "" })).toBe("#train");
  });
});
