import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { ARTICLE } from "../demo/network.ts";
import { checkNetwork } from "../demo/network-check.ts";
import { decodeNetwork, encodeNetwork } from "../demo/state/link.ts";
import { parseIdx } from "../src/formats/idx.ts";
import { packModel, unpackModel, unpackWeights } from "../src/formats/model-file.ts";
import { parseSafetensors, toSafetensors } from "../src/formats/safetensors.ts";
import { weightsFor } from "../src/formats/saving.ts";
import { dense, fromConfig, type ModelConfig, sequential, toConfig } from "../src/index.ts";
import { checkedWeights } from "../src/model/calls.ts";
import { fileStore } from "../src/tune/file-store.ts";
import type { Question } from "../src/tune/questions.ts";
import { checkedStore, TuningCache, type TuningStore } from "../src/tune/tuning-cache.ts";
import { failure } from "./support/building.ts";
import {
  deepArray,
  deepObject,
  holds,
  hostileValue,
  mutated,
  type Outcome,
  outcomeOf,
  PROTOTYPE_NAMES,
  SEEDED,
} from "./support/hostile.ts";
import { articleLayers } from "./support/models.ts";

afterEach(() => {
  // Of whatever a case has tried.
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  expect(Object.keys(Object.prototype)).toEqual([]);
});

/** What the caller's own getters and traps throw may pass through where a call takes the app's own values. */
const CALLERS = /of the caller's|has been revoked/;

/** A FeaturemapError, or what `sound` finds nothing wrong with. */
function documented(outcome: Outcome, sound: (returned: unknown) => void, callers = false): void {
  if ("returned" in outcome) sound(outcome.returned);
  else if (callers && CALLERS.test(String((outcome.thrown as Error).message))) return;
  else
    expect(outcome.thrown).toMatchObject({
      name: "FeaturemapError",
      code: expect.stringMatching(/^(data|value|shape)$/),
    });
}

async function always(
  values: fc.Arbitrary<unknown>,
  call: (value: never) => unknown,
  sound: (returned: unknown) => void,
  callers = false,
) {
  const property = fc.asyncProperty(values, async (value) =>
    documented(await outcomeOf(() => call(value as never)), sound, callers),
  );
  await holds(property);
}

describe("fromConfig", () => {
  const config = toConfig(sequential(articleLayers(), { name: "article" }));
  const isModel = (model: unknown) => {
    const made = toConfig(model as never);
    expect(toConfig(fromConfig(JSON.parse(JSON.stringify(made))))).toEqual(made);
  };

  it("takes what is a config, and refuses the rest in words", async () => {
    await always(mutated(config), fromConfig, isModel);
    await always(hostileValue(), fromConfig, isModel);
    await always(hostileValue(), (options: never) => fromConfig(config, options), isModel);
  });

  it("is not hurt by what is nested without end, or holds itself", () => {
    const circle: Record<string, unknown> = { units: 3 };
    circle.config = circle;
    /** 2^40 values, were each counted wherever it comes up. */
    let shared: unknown = 1;
    for (let i = 0; i < 40; i++) shared = [shared, shared];
    for (const [bad, message] of [
      [deepArray(), /nested over 32 levels deep, or holds itself/],
      [deepObject(), /nested over 32 levels deep/],
      [circle, /nested over 32 levels deep/],
      [shared, /nested over 32 levels deep|holds over 1000000 values/],
    ] as const) {
      const layers = [{ className: "Dense", config: { units: 3, kernelInitializer: bad } }];
      const begin = performance.now();
      const error = failure(() => fromConfig({ ...config, layers }));
      expect(error.message).toMatch(message);
      expect(error.message.length).toBeLessThan(2000);
      expect(performance.now() - begin).toBeLessThan(5000);
    }
    expect(failure(() => fromConfig({ ...config, layers: deepArray() as never })).code).toBe("value");
    const own = { type: "Own", config: circle, parameters: () => [], call: ({ input }: { input: number }) => input };
    expect(failure(() => toConfig(sequential([own]))).message).toMatch(/nested over 32 levels deep, or holds itself/);
  });

  it("takes time in proportion to the layers", () => {
    const flat = (layers: number): ModelConfig => ({
      ...config,
      layers: Array.from({ length: layers }, (_, i) => ({
        className: "Dropout",
        config: { rate: 0.5, ...(i === 0 && { inputShape: [4] }) },
      })),
    });
    const time = (layers: number) => {
      const given = flat(layers);
      const times = Array.from({ length: 3 }, () => {
        const begin = performance.now();
        expect(fromConfig(given).layers.at(-1)!.name).toBe(`dropout_${layers - 1}`);
        return performance.now() - begin;
      });
      return Math.min(...times);
    };
    time(500);
    // 16 times the layers: 256 times the time, were it quadratic.
    expect(time(16_000) / time(1000)).toBeLessThan(64);
  });

  it("knows layers by their own names only", () => {
    for (const name of PROTOTYPE_NAMES) {
      const layers = [{ className: name, config: {} }];
      expect(failure(() => fromConfig({ ...config, layers })).message).toMatch(/no known layer/);
      const named = sequential([dense({ units: 2, inputShape: [3], name })]);
      expect(toConfig(fromConfig(toConfig(named)))).toEqual(toConfig(named));
    }
  });
});

describe("files", () => {
  const file = packModel({
    config: { a: [1, 2] },
    compile: { loss: "x", metrics: [] },
    byteScales: {},
    tensors: new Map(PROTOTYPE_NAMES.map((name, i) => [name, { shape: [1, i], data: new Float32Array(i) }])),
  });
  const parsers = [
    ["parseSafetensors", parseSafetensors],
    ["unpackModel", (bytes: Uint8Array) => unpackModel(bytes, "test")],
    ["unpackWeights", (bytes: Uint8Array) => unpackWeights(bytes, "test")],
    ["parseIdx", parseIdx],
  ] as const;

  it.each(parsers)("%s refuses what are no bytes, in words", async (_, parse) => {
    await always(hostileValue(), parse as never, () => {});
  });

  it.each(parsers)("%s refuses damaged headers in words", async (_, parse) => {
    const header = {
      __metadata__: { format: "pt" },
      a: { dtype: "F32", shape: [2], data_offsets: [0, 8] },
      "10": { dtype: "I64", shape: [1, 1], data_offsets: [8, 16] },
    };
    const bytesOf = (tree: unknown) => {
      const json = new TextEncoder().encode(JSON.stringify(tree) ?? "");
      const bytes = new Uint8Array(8 + json.length + 16);
      new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
      bytes.set(json, 8);
      return bytes;
    };
    const written = mutated(header).map((tree) => {
      try {
        return bytesOf(tree);
      } catch {
        return bytesOf(header);
      }
    });
    await always(written, parse as never, () => {});
  });

  it.each(parsers)("%s refuses cut and overwritten bytes in words", async (_, parse) => {
    const damaged = fc
      .tuple(fc.nat(file.length), fc.nat(file.length), fc.uint8Array({ maxLength: 40 }))
      .map(([length, at, run]) => {
        const bytes = file.slice();
        bytes.set(run.subarray(0, Math.max(0, bytes.length - at)), Math.min(at, bytes.length));
        return bytes.subarray(0, length);
      });
    await always(damaged, parse as never, () => {});
  });

  it("has a deep header refused, not the process ended", () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    for (const json of [deep, `{"a":${deep}}`, `{"__metadata__":${deep}}`, '{"a":'.repeat(100_000)]) {
      const bytes = new Uint8Array(8 + json.length);
      new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
      bytes.set(new TextEncoder().encode(json), 8);
      expect(failure(() => parseSafetensors(bytes)).code).toBe("data");
    }
  });

  it("toSafetensors takes tensors, and refuses the rest in words", async () => {
    const isFile = (bytes: unknown) => void parseSafetensors(bytes as Uint8Array);
    const tensors = { a: { shape: [2], data: Float32Array.of(1, 2) }, b: { shape: [], data: Int8Array.of(1) } };
    await always(mutated(tensors), toSafetensors, isFile);
    await always(hostileValue(), toSafetensors, isFile);
    await always(hostileValue(), (metadata: never) => toSafetensors(tensors, metadata), isFile);
  });
});

describe("weights", () => {
  const parameters = [
    { path: "dense/kernel", shape: [2, 2] },
    { path: "constructor/bias", shape: [2] },
  ];
  const areWeights = (values: unknown) => {
    expect(values).toHaveLength(2);
    (values as Float32Array[]).forEach((array, i) => {
      expect(Object.prototype.toString.call(array)).toBe("[object Float32Array]");
      expect(array).toHaveLength([4, 2][i]!);
      expect(array.every(Number.isFinite)).toBe(true);
    });
  };

  it("of setWeights are arrays of finite numbers, or refused in words", async () => {
    const weights = [
      { shape: [2, 2], data: [1, 2, 3, 4] },
      { shape: [2], data: Float32Array.of(5, 6) },
    ];
    const checkAll = (given: never) => checkedWeights(given, parameters);
    await always(mutated(weights), checkAll, areWeights, true);
    await always(hostileValue(), checkAll, areWeights, true);
    areWeights(checkAll(JSON.parse(JSON.stringify([weights[0], { data: [5, 6] }])) as never));
    const lost = JSON.parse(JSON.stringify(weights)) as never;
    expect(failure(() => checkAll(lost)).message).toMatch(/"constructor\/bias" .*an object with keys 0, 1/);
  });

  it("of a file are the model's, whatever their names", () => {
    const tensors = new Map(
      parameters.map(({ path, shape }) => [path, { shape, data: new Float32Array(shape.length === 2 ? 4 : 2) }]),
    );
    areWeights(weightsFor({ variables: parameters }, tensors, "test"));
    for (const name of PROTOTYPE_NAMES)
      expect(failure(() => weightsFor({ variables: [{ path: name, shape: [1] }] }, new Map(), "test")).message).toMatch(
        /no weights/,
      );
  });
});

describe("a tuning store", () => {
  const tile = { blocksM: 2, blocksN: 4, workgroupM: 4, workgroupN: 1, slices: 1, quad: true };
  const question = {
    key: "k",
    label: "dense",
    places: [["dense"]],
    candidates: [[tile], [{ ...tile, slices: 2 }]],
    isMeasured: () => true,
  } as Question;

  it("answers with a candidate or not at all, whatever is in it", async () => {
    const answer = async (stored: unknown) => {
      const warned: string[] = [];
      const store: TuningStore = {
        get: async () => stored,
        set: async () => {},
      };
      const found = await new TuningCache(store, (message) => void warned.push(message)).get("", question);
      return { found, warned };
    };
    const isCandidate = (result: unknown) => {
      const { found, warned } = result as Awaited<ReturnType<typeof answer>>;
      if (found) expect(question.candidates).toContain(found);
      expect(warned.every((message) => typeof message === "string")).toBe(true);
    };
    await always(mutated([{ ...tile, slices: 2 }]), answer, isCandidate);
    await always(hostileValue(), answer, isCandidate);
    expect((await answer([{ ...tile, slices: 2 }])).found).toBe(question.candidates[1]);
    expect((await answer([{ ...tile, slices: 3 }])).warned).toEqual([expect.stringMatching(/no candidate for dense/)]);
  });

  it("that throws anything is told of, and stops nothing", async () => {
    await holds(
      fc.asyncProperty(hostileValue(), async (thrown) => {
        const warned: string[] = [];
        const store: TuningStore = {
          get: () => {
            throw thrown;
          },
          set: async () => {},
        };
        expect(await new TuningCache(store, (message) => void warned.push(message)).get("", question)).toBeUndefined();
        expect(warned).toEqual([expect.stringMatching(/^The tuning store cannot be read: /)]);
      }),
    );
  });

  it("is one, or refused in words", async () => {
    await always(hostileValue(), checkedStore, (store) => expect(typeof (store as TuningStore).get).toBe("function"));
    await always(hostileValue(), fileStore as never, (store) =>
      expect(typeof (store as TuningStore).get).toBe("function"),
    );
  });

  const folder = mkdtempSync(join(tmpdir(), "featuremap-outside-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("in a file knows its own keys only", async () => {
    const path = join(folder, "kernels.json");
    const store = fileStore(path);
    for (const name of PROTOTYPE_NAMES) expect(await store.get(name), name).toBeUndefined();
    for (const name of PROTOTYPE_NAMES) await store.set(name, [{ algorithm: name }]);
    const next = fileStore(path);
    for (const name of PROTOTYPE_NAMES) expect(await next.get(name), name).toEqual([{ algorithm: name }]);
  });

  it("in a file that cannot be written once is written the next time", async () => {
    const path = join(folder, "late", "kernels.json");
    const store = fileStore(path);
    await expect(store.set("a", [])).rejects.toMatchObject({ code: "data" });
    const { mkdirSync } = await import("node:fs");
    mkdirSync(join(folder, "late"));
    await store.set("b", [tile]);
    expect(await fileStore(path).get("b")).toEqual([tile]);
  });

  it("in a file of any JSON is read or refused in words", async () => {
    const path = join(folder, "any.json");
    await holds(
      fc.asyncProperty(fc.oneof(fc.json(), fc.string()), async (text) => {
        writeFileSync(path, text);
        documented(await outcomeOf(() => fileStore(path).get("a")), () => {});
      }),
      { numRuns: Math.min(SEEDED.numRuns, 1000) },
    );
  });
});

describe("a link of the page", () => {
  const inWords = (outcome: Outcome, isNetwork: (network: unknown) => void) => {
    if ("returned" in outcome) isNetwork(outcome.returned);
    else {
      const error = outcome.thrown as Error;
      expect(error.constructor).toBe(Error);
      expect(error.message.length).toBeLessThan(400);
    }
  };
  const isNetwork = (network: unknown) => expect(decodeNetwork(encodeNetwork(network as never))).toEqual(network);

  it("is a network, or an error in words", async () => {
    const text = encodeNetwork(ARTICLE);
    const edited = fc
      .tuple(
        fc.nat(text.length),
        fc.nat(8),
        fc.oneof(fc.string(), fc.constantFrom("~", "-", "%", "%zz", "-s2", "~max-2", "NaN", "1e9")),
      )
      .map(([at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut));
    await holds(
      fc.asyncProperty(fc.oneof(edited, fc.string()), async (link) =>
        inWords(await outcomeOf(() => decodeNetwork(link)), isNetwork),
      ),
    );
    const long = `1~${"conv-3".repeat(1)}${"-relu".repeat(200_000)}~sgd-0.01~batch-32`;
    inWords(await outcomeOf(() => decodeNetwork(long)), isNetwork);
    inWords(await outcomeOf(() => decodeNetwork(`1${"~flatten".repeat(200_000)}`)), isNetwork);
  });

  it("and an entry of its storage too", async () => {
    for (const values of [mutated(ARTICLE), hostileValue()])
      await holds(
        fc.asyncProperty(values, async (value) => inWords(await outcomeOf(() => checkNetwork(value)), isNetwork)),
      );
  });
});
