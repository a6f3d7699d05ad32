import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  adagrad,
  adam,
  adamW,
  clipNorm,
  clipValue,
  createRuntime,
  dense,
  type GradientTransform,
  globalClipNorm,
  loadModel,
  type Optimizer,
  type Runtime,
  restore,
  rmsprop,
  saveModel,
  sequential,
  sgd,
  snapshot,
} from "../../src/index.ts";
import { internalsOf } from "../../src/model/internals.ts";
import { configOf } from "../../src/optimizers/optimizer.ts";
import { type Clipping, clipGradients } from "../reference/clipping.ts";
import { denseGradients, dense as denseReference } from "../reference/matmul.ts";
import { referenceOptimizer } from "../reference/optimizers.ts";
import { randomArray } from "../reference/random.ts";
import { sparseSoftmaxCrossEntropy } from "../reference/softmax.ts";
import { expectCarried, expectClose } from "../support/compare.ts";
import { momentumSgd } from "../support/extension.ts";
import { allWeights, noise, tinyModel } from "../support/models.ts";
import { GraphRun } from "../support/run-graph.ts";
import { tolerances } from "../support/tolerances.ts";

const TRANSFORMS: Record<Clipping, (limit: number) => GradientTransform> = { clipNorm, clipValue, globalClipNorm };
const KINDS = Object.keys(TRANSFORMS) as Clipping[];

/** One transform of gradients, each an input of one graph. */
async function transformed(
  kind: Clipping,
  limit: number,
  gradients: readonly Float32Array[],
  adapter: "software" | "gpu" = "software",
): Promise<Float32Array[]> {
  const run = new GraphRun();
  const ids = gradients.map((g, i) => [`g${i}`, run.input(`g${i}`, [g.length], g)] as const);
  const after = TRANSFORMS[kind](limit).transform({
    gradients: new Map(ids),
    state: run.graph.state,
    add: run.addTyped,
    shapeOf: () => [],
  });
  expect([...after.keys()]).toEqual(ids.map(([path]) => path));
  return run.read([...after.values()], { adapter });
}

// One, no multiple of four, a workgroup's turn of 256 and its neighbours, two workgroups; more tensors than one node adds up.
const SIZES = [1, 7, 65, 255, 256, 257, 4097, 9000, 12];

describe.each(KINDS)("%s", (kind) => {
  const gradients = SIZES.map((size, i) => Float32Array.from(randomArray(size, i + 1)));

  it.each(["software", "gpu"] as const)("clips as the reference does, for adapters of class %s", async (adapter) => {
    const limit = kind === "clipValue" ? 0.25 : 5;
    const want = clipGradients(kind, limit, gradients);
    const got = await transformed(kind, limit, gradients, adapter);
    got.forEach((g, i) => void expectClose(g, want[i]!, tolerances.clipping, `gradient of ${SIZES[i]}`));
    if (kind === "clipNorm") expect(got[0]).toEqual(gradients[0]);
    // The sums have a fixed order.
    expect(await transformed(kind, limit, gradients, adapter)).toEqual(got);
  });

  it("leaves gradients within the limit as they are, to the bit", async () => {
    expect(await transformed(kind, 1000, gradients)).toEqual(gradients);
  });

  const [nan, inf] = [Number.NaN, Number.POSITIVE_INFINITY];
  it.each([
    ["of zeros", [0, 0, 0]],
    ["with a NaN", [1, nan, 0, 3, 4]],
    ["with an infinity", [1, inf, 0, -3, 4]],
    ["with both", [-inf, nan, 1]],
    ["whose square is too large", [1e20, -1e20, 3]],
    ["whose square is too small", [1e-30, 0, -1e-30]],
  ])("takes gradients %s as the reference does", async (_, numbers) => {
    const odd = [Float32Array.from(numbers), Float32Array.of(0.5, -2)];
    const want = clipGradients(kind, 1, odd);
    for (const adapter of ["software", "gpu"] as const)
      (await transformed(kind, 1, odd, adapter)).forEach((g, i) => {
        expectCarried(g, want[i]!, tolerances.clipping, `gradient ${i}`);
      });
  });
});

describe("an optimizer that clips", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createRuntime();
  });
  afterAll(() => runtime.dispose());

  const [ROWS, IN, CLASSES] = [7, 4, 3];
  const loss = "sparseCategoricalCrossentropy";
  const { x, y } = noise(ROWS, [IN], CLASSES);
  const MAKERS: Record<string, (options: object) => Optimizer> = { sgd, adam, adamW, rmsprop, adagrad };

  it.each<[string, Clipping, number]>([
    ["sgd", "globalClipNorm", 0.1],
    ["sgd", "clipNorm", 0.05],
    ["sgd", "clipValue", 0.02],
    ["adam", "globalClipNorm", 0.1],
    ["adamW", "clipNorm", 0.05],
    ["rmsprop", "clipValue", 0.02],
    ["adagrad", "globalClipNorm", 0.1],
  ])("trains as the reference says: %s by %s %d", async (name, kind, limit) => {
    const model = tinyModel();
    const optimizer = MAKERS[name]!({ learningRate: 0.1, transforms: [TRANSFORMS[kind](limit)] });
    await model.compile({ loss, optimizer, runtime, seed: 2 });
    const reference = referenceOptimizer(name, { learningRate: 0.1 });
    const want = (await model.getWeights()).map(({ data }) => Float64Array.from(data));
    const kept = want.map((w) => Array.from({ length: reference.kept }, () => new Float64Array(w.length)));
    let clipped = 0;
    for (let t = 1; t <= 3; t++) {
      await model.trainOnBatch(x, y);
      const [w, b] = want as [Float64Array, Float64Array];
      const sizes = { rows: ROWS, inputs: IN, units: CLASSES };
      const logits = denseReference(Float64Array.from(x.data), w, b, sizes);
      const { dLogits } = sparseSoftmaxCrossEntropy(logits, y.data, CLASSES);
      const { dW, dB } = denseGradients(Float64Array.from(x.data), w, dLogits, sizes);
      clipGradients(kind, limit, [dW, dB]).forEach((g, i) => {
        if (g.some((value, j) => value !== [dW, dB][i]![j])) clipped++;
        reference.step({ p: want[i]!, kept: kept[i]!, g, t });
      });
    }
    expect(clipped).toBeGreaterThan(0);
    (await model.getWeights()).forEach(({ name, data }, i) => {
      expectClose(data, want[i]!, tolerances.trainingStep, name);
    });
    model.dispose();
  });

  it("comes back with a saved model, and from a snapshot of the same clipping only", async () => {
    const compiled = async (optimizer: Optimizer) => {
      const model = tinyModel();
      await model.compile({ loss, optimizer, runtime, seed: 2 });
      await model.trainOnBatch(x, y);
      return model;
    };
    const model = await compiled(sgd({ learningRate: 0.5, transforms: [globalClipNorm(0.1)] }));
    const plain = await compiled(sgd({ learningRate: 0.5 }));
    expect(await allWeights(plain)).not.toEqual(await allWeights(model));
    const summary = (of: typeof model) => of.summary({ print: () => {} });
    expect(summary(model).split("\n").slice(1)).toEqual(summary(plain).split("\n").slice(1));
    const again = await loadModel(await saveModel(model), { runtime });
    const twin = await compiled(sgd({ learningRate: 0.5, transforms: [globalClipNorm(0.1)] }));
    await restore(twin, await snapshot(model));
    await expect(restore(plain, await snapshot(model))).rejects.toThrow(
      /optimizer "sgd" with transforms ".*globalClipNorm.*0\.1.*the model's has transforms undefined/,
    );
    for (const each of [model, again, twin]) await each.trainOnBatch(x, y);
    expect(await allWeights(again)).toEqual(await allWeights(model));
    expect(await allWeights(twin)).toEqual(await allWeights(model));
    for (const each of [model, plain, again, twin]) each.dispose();
  });

  it.each(KINDS)("comes back with a saved model, of two transforms in their order: %s", async (kind) => {
    const model = tinyModel();
    const optimizer = adam({ transforms: [TRANSFORMS[kind](0.05), clipValue(0.01)] });
    await model.compile({ loss, optimizer, runtime, seed: 2 });
    const again = await loadModel(await saveModel(model), { runtime });
    const { settings } = (await internalsOf(again, "test")).compiled;
    expect(configOf(settings.training!.optimizer)).toEqual(configOf(optimizer));
    for (const each of [model, again]) await each.trainOnBatch(x, y);
    expect(await allWeights(again)).toEqual(await allWeights(model));
    for (const each of [model, again]) each.dispose();
  });

  it("may be one of one's own, which clips twice", async () => {
    const optimizer = { ...momentumSgd(1, 0), transforms: [clipValue(0.02), globalClipNorm(0.03)] };
    const model = sequential([dense({ units: CLASSES, activation: "softmax", inputShape: [IN] })]);
    await model.compile({ loss, optimizer, runtime, seed: 2 });
    const before = await allWeights(model);
    await model.trainOnBatch(x, y);
    const change = (await allWeights(model)).map((w, i) => w - before[i]!);
    expectClose([Math.hypot(...change)], [0.03], tolerances.trainingStep, "norm of the step");
    expect(Math.max(...change.map(Math.abs))).toBeLessThan(0.02);
    model.dispose();
  });
});
