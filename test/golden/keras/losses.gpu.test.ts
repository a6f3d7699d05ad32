import { describe, expect, it } from "vitest";
import { gradients } from "../../../src/graph/gradients.ts";
import type { TensorId } from "../../../src/graph/tensor.ts";
import { tensor } from "../../../src/index.ts";
import type { Loss } from "../../../src/losses/loss.ts";
import { add } from "../../../src/ops/elementwise/add.ts";
import { expectKeras, identityModel, numbersOf, present } from "../../support/keras-golden.ts";
import {
  addLoss,
  buildLoss,
  type LossCase,
  labelsFor,
  REDUCTIONS,
  reduced,
  weighed,
} from "../../support/keras-loss.ts";
import { lossOf } from "../../support/keras-names.ts";
import { GraphRun, testRuntime } from "../../support/run-graph.ts";
import losses from "./losses.json";

const CASES = present((losses as unknown as { cases: LossCase[] }).cases, buildLoss);

describe("Keras's losses", () => {
  it.each(CASES.map((golden) => [golden.name, golden] as const))(
    "%s: each sample's, and gradients",
    async (_, golden) => {
      const { name, output, activation, perSample, wholeBatch } = golden;
      const loss = lossOf(golden.loss);
      const batch = output.shape[0]!;
      const run = new GraphRun().rows(batch);
      const zeros = run.input("zeros", output.shape, new Float32Array(numbersOf(output).length));
      const x = run.addTyped(add, { a: run.input("x", output.shape, numbersOf(output)), b: zeros }).c;
      const kind = labelsFor(loss, golden);
      const labels = run.input("labels", kind.shape, numbersOf(golden.labels), kind.dtype);
      const each = addLoss(run.graph, loss, { x, labels, activation });
      const mean = run.input("mean", [batch], new Float32Array(batch).fill(1 / batch));
      const share = numbersOf(golden.sampleWeight).map((weight) => weight / batch);
      const weighted = run.input("weighted", [batch], share);
      const weights = run.input("weights", [batch], numbersOf(golden.sampleWeight));
      const by = { x, labels, loss: each };
      const own = loss.factors && weighed(run.graph, loss, { ...by, weights: undefined });
      const [dx] = gradients(run.graph, { of: own ?? each, seed: mean }, [x], add);
      const ofWeights = loss.factors
        ? { of: weighed(run.graph, loss, { ...by, weights }), seed: mean }
        : { of: each, seed: weighted };
      const [dxWeighted] = golden.dxWeighted ? gradients(run.graph, ofWeights, [x], add) : [];
      const wanted = [each, dx!, ...(dxWeighted === undefined ? [] : [dxWeighted])] as TensorId[];
      const read = await run.read(wanted);
      const values = wholeBatch ? new Array<number>(batch).fill(perSample[0]!) : perSample;
      expectKeras(read[0]!, { shape: [batch], values }, "loss", `${name}: each sample's`);
      expectKeras(read[1]!, golden.dx, "gradient", `${name}: dx`);
      if (golden.dxWeighted) expectKeras(read[2]!, golden.dxWeighted, "gradient", `${name}: dx by weights of samples`);
    },
  );

  // Of vectors, and of images.
  const kindOf = ({ loss, output }: LossCase) => `${loss.className}, rank ${output.shape.length}`;
  const first = new Map(CASES.toReversed().map((golden) => [kindOf(golden), golden]));
  it.each([...first])("%s: reductions, without weights of samples and with them", async (_, golden) => {
    const { name, output, activation } = golden;
    const x = tensor(numbersOf(output), [...output.shape]);
    const { shape, dtype } = labelsFor(lossOf(golden.loss), golden);
    const numbers = numbersOf(golden.labels);
    const y = tensor(dtype === "u32" ? Uint32Array.from(numbers) : numbers, shape);
    const sampleWeight = numbersOf(golden.sampleWeight);
    const check = async (loss: Loss, want: number, weighted: number | undefined, label: string) => {
      const model = await identityModel(output, activation, { loss, runtime: await testRuntime() });
      const plain = await model.evaluate(x, y);
      expectKeras([plain.loss], { shape: [1], values: [want] }, "loss", label);
      if (weighted !== undefined) {
        const by = await model.evaluate(x, y, { sampleWeight });
        expectKeras([by.loss], { shape: [1], values: [weighted] }, "loss", `${label}, by weights of samples`);
      }
      model.dispose();
    };
    await check(lossOf(golden.loss), golden.sumOverBatchSize, golden.sumOverBatchSizeWeighted, `${name}: mean`);
    for (const word of REDUCTIONS)
      await check(reduced(golden, word), golden[word], golden[`${word}Weighted`], `${name}: ${word}`);
  });

  it("has cases to run", () => expect(CASES.length).toBeGreaterThan(0));
});
