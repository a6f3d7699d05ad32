import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { goldenWeights, uniform } from "../../cli/keras/formula.ts";
import {
  adadelta,
  adagrad,
  adam,
  adamax,
  adamW,
  createRuntime,
  dense,
  lion,
  nadam,
  type Optimizer,
  oneHot,
  type Runtime,
  rmsprop,
  type SlotSpec,
  sequential,
  sgd,
  tensor,
} from "../../src/index.ts";
import more from "../golden/more-optimizers.json";
import golden from "../golden/optimizers.json";
import { type OptimizerOptions, referenceOptimizer } from "../reference/optimizers.ts";
import { randomArray } from "../reference/random.ts";
import { DIRECT } from "../support/choices.ts";
import { expectClose } from "../support/compare.ts";
import { type Golden, goldenLayers } from "../support/golden.ts";
import { mnist } from "../support/mnist.ts";
import { GraphRun } from "../support/run-graph.ts";
import { tolerances } from "../support/tolerances.ts";

const MAKERS: Record<string, (options: object) => Optimizer> = {
  sgd,
  adam,
  adamW,
  rmsprop,
  adagrad,
  adadelta,
  adamax,
  lion,
  nadam,
};
const runs = [...golden.runs, ...more.runs] as {
  optimizer: string;
  options: OptimizerOptions;
  parameters: number[][];
}[];
const cases = runs.map((run) => [`${run.optimizer} ${JSON.stringify(run.options)}`, run] as const);

interface Held {
  p: Float32Array;
  slots: Float32Array[];
  /** What the optimizer keeps for itself; that of the first parameter counts. */
  own: Float32Array[];
}

/** One step of several parameters, each of its own, by the optimizer's nodes in one graph. */
async function stepped(
  optimizer: Optimizer,
  held: readonly Held[],
  gradients: readonly Float32Array[],
  t: number,
): Promise<Held[]> {
  const run = new GraphRun().step(t - 1);
  const rates = Object.entries(optimizer.hyperparameters).map(
    ([name, value]) => [name, run.input(name, [1], [value])] as const,
  );
  const call = {
    state: run.graph.state,
    hyperparameter: (name: string) => new Map(rates).get(name)!,
    add: run.addTyped,
  };
  const own = (optimizer.variables?.() ?? []).map(
    ({ name, shape }, i) => [name, run.input(name, shape, held[0]!.own[i]!)] as const,
  );
  const none = { gradients: new Map(), shapeOf: () => [] };
  const shared = optimizer.begin?.({ ...call, ...none, variables: Object.fromEntries(own) }) ?? {};
  const ids = held.map(({ p, slots }, i) => {
    const parameter = run.input("p", [p.length], p);
    const specs = optimizer.slots?.([p.length]) ?? [];
    const kept = specs.map(({ name, shape }, j) => [name, run.input(name, shape, slots[j]!)] as const);
    optimizer.step({
      path: `p${i}`,
      parameter,
      gradient: run.input("g", [p.length], gradients[i]!),
      slots: Object.fromEntries(kept),
      ...call,
      shared,
      shapeOf: () => [p.length],
    });
    return [parameter, ...kept.map(([, id]) => id)];
  });
  const read = await run.read([...ids.flat(), ...own.map(([, id]) => id)]);
  return ids.map(({ length }) => {
    const [p, ...slots] = read.splice(0, length);
    return { p: p!, slots, own: read.slice(-own.length || read.length) };
  });
}

function held(optimizer: Optimizer, p: Float32Array): Held {
  const slots = optimizer.slots?.([p.length]) ?? [];
  const filled = ({ shape, initial = 0 }: SlotSpec) => new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(initial);
  return { p, slots: slots.map(filled), own: (optimizer.variables?.() ?? []).map(filled) };
}

describe.each(cases)("%s", (_, { optimizer: name, options, parameters }) => {
  const optimizer = MAKERS[name]!(options);
  const reference = referenceOptimizer(name, options);

  it("steps as the reference does, what it keeps too, three times", async () => {
    // One, no multiple of four, a workgroup of 64 x 4 and its neighbours.
    const sizes = [1, 7, 65, 255, 256, 257];
    const starts = sizes.map((size, i) => Float32Array.from(randomArray(size, i + 1)));
    let state = starts.map((p) => held(optimizer, p));
    const want = starts.map((p) => ({
      p: Float64Array.from(p),
      kept: Array.from({ length: reference.kept }, () => new Float64Array(p.length)),
    }));
    for (let t = 1; t <= 3; t++) {
      const gradients = sizes.map((size, i) => Float32Array.from(randomArray(size, 10 * t + i)));
      state = await stepped(optimizer, state, gradients, t);
      sizes.forEach((size, i) => {
        const { p, kept } = want[i]!;
        reference.step({ p, kept, g: gradients[i]!, t });
        const got = [state[i]!.p, ...state[i]!.slots].flatMap((numbers) => [...numbers]);
        const all = [p, ...kept].flatMap((numbers) => [...numbers]);
        expectClose(got, all, tolerances.optimizerStep, `p of ${size} and what is kept, step ${t}`);
      });
    }
  });

  it("steps as Keras does", async () => {
    const size = parameters[0]!.length;
    let [state] = [
      held(
        optimizer,
        Float32Array.from({ length: size }, (_, i) => 2 * uniform(1, i) - 1),
      ),
    ];
    for (const [i, want] of parameters.entries()) {
      const gradient = Float32Array.from(
        { length: size },
        (_, at) => (at > 0 ? 2 * uniform(101 + i, at) - 1 : 0) * 10 ** ((at % 4) - 3),
      );
      [state] = (await stepped(optimizer, [state!], [gradient], i + 1)) as [Held];
      expectClose(state.p, want, tolerances.kerasOptimizer, `step ${i + 1}`);
    }
  });
});

// See test/golden/README.md for the tolerance.
const LOSS_TOLERANCE = 1e-4;

describe("Keras's network of strided convolutions", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createRuntime();
  });
  afterAll(() => runtime.dispose());

  it.each(golden.trained)(
    "trains alike for 30 steps by $optimizer $options",
    async ({ optimizer, options, losses }) => {
      const size = golden.batchSize;
      const model = sequential(goldenLayers(golden as unknown as Golden));
      await model.compile({
        loss: "categoricalCrossentropy",
        optimizer: MAKERS[optimizer]!(options),
        runtime,
        choices: DIRECT,
      });
      await model.setWeights(goldenWeights(await model.getWeights()).map((data) => ({ data })));
      const { x, y } = await mnist("train", 0, losses.length * size);
      const pixels = x.data as Uint8Array;
      for (const [step, want] of losses.entries()) {
        const batch = pixels.slice(step * size * 784, (step + 1) * size * 784);
        const { loss } = await model.trainOnBatch(
          tensor(batch, [size, 28, 28, 1], { scale: 1 / 255 }),
          oneHot(y.slice(step * size, (step + 1) * size), 10),
        );
        const difference = Math.abs(loss - want) / want;
        expect(difference, `step ${step + 1}: loss ${loss}, Keras ${want}`).toBeLessThanOrEqual(LOSS_TOLERANCE);
      }
      model.dispose();
    },
  );

  it("counts what the optimizer keeps once training has begun, as Keras does", async () => {
    const model = sequential([dense({ units: 3, activation: "softmax", inputShape: [3] })]);
    await model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: adam(), runtime });
    const summary = () => model.summary({ print: () => {} });
    expect(summary()).not.toContain("Optimizer");
    await model.trainOnBatch(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      [0, 1],
    );
    // What `summary()` of Keras 3.15.1 says of Dense(3) on 3 inputs with Adam, after a batch.
    expect(summary()).toContain(" Total params: 38 (152.00 B)");
    expect(summary()).toContain(" Optimizer params: 26 (104.00 B)");
    model.dispose();
  });
});
