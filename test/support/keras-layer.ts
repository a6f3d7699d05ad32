import { gradients } from "../../src/graph/gradients.ts";
import { tensorOf } from "../../src/graph/graph.ts";
import type { TensorId } from "../../src/graph/tensor.ts";
import { type Model, type NormalizationLayer, sgd, tensor } from "../../src/index.ts";
import { callLayer } from "../../src/layers/call-layer.ts";
import { INTERNALS } from "../../src/model/internals.ts";
import { add } from "../../src/ops/elementwise/add.ts";
import { fill } from "../../src/ops/elementwise/fill.ts";
import { expectKeras, type LayerCase, layerModel, numbersOf } from "./keras-golden.ts";
import { GraphRun, testRuntime } from "./run-graph.ts";
import { squaredError } from "./squared-error.ts";

const GRADIENT_STREAM = 50;

/** Holds a layer against Keras: outputs, gradients, statistics and ten steps. Throws an Error that names the worst number. */
export async function checkLayer(golden: LayerCase): Promise<void> {
  const model = layerModel(golden);
  if (golden.adapt) return checkAdapted(golden, model);
  const network = model[INTERNALS].architecture.network!;
  const names = network.weights.map(({ path }) => path.slice(path.lastIndexOf("/") + 1));
  const wanted = golden.weights.map(({ name }) => name);
  if (String(names) !== String(wanted)) throw new Error(`${golden.name}: weights ${names}, Keras ${wanted}.`);
  if (golden.steps) await checkSteps(golden, golden.steps, model);
  else await checkCall(golden, model, false);
  if (golden.dx) await checkCall(golden, model, true);
}

/** Adapts the layer to its input and predicts, as an app does. */
async function checkAdapted(golden: LayerCase, model: Model): Promise<void> {
  const input = golden.inputs[0]!;
  const x = tensor(numbersOf(input), [...input.shape]);
  const [built] = model[INTERNALS].architecture.network!.layers;
  (built!.layer as NormalizationLayer).adapt(x);
  await model.compile({ runtime: await testRuntime() });
  expectKeras((await model.predict(x)).data, golden.y, "forward", `${golden.name}: predict`);
  model.dispose();
}

/** Runs the layer's nodes alone, with gradients in training. */
async function checkCall(golden: LayerCase, model: Model, training: boolean): Promise<void> {
  const [built] = model[INTERNALS].architecture.network!.layers;
  const { layer, variables } = built!;
  const run = new GraphRun().rows(golden.inputs[0]!.shape[0]!);
  const xs = golden.inputs.map((input, i) => added(run, run.input(`x${i}`, input.shape, numbersOf(input))));
  const weights = new Map(golden.weights.map((weight) => [weight.name, numbersOf(weight)]));
  const tensors = variables.map(({ path, shape, dtype, role }) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const zeros = new Float32Array(shape.reduce((a, b) => a * b, 1));
    return { name, role, id: run.input(name, shape, weights.get(name) ?? zeros, dtype) };
  });
  const { outputs } = callLayer(run.graph, layer, {
    name: "golden",
    inputs: xs,
    variables: Object.fromEntries(tensors.map(({ name, id }) => [name, id])),
    training,
    trainable: true,
  });
  const y = outputs[0]!;
  const label = `${golden.name}: ${training ? "training" : "inference"}`;
  if (!training) {
    const [got] = await run.read([y]);
    expectKeras(got!, golden.y, "forward", `${label} y`);
    return;
  }
  const dy = { stream: GRADIENT_STREAM, shape: golden.y.shape, low: -1, high: 1 };
  const seed = added(run, run.input("dy", golden.y.shape, numbersOf(dy)));
  const inputs = golden.dx!.length > 0 ? xs : [];
  const parameters = tensors.filter(({ role }) => role === "parameter");
  const of = [...inputs, ...parameters.map(({ id }) => id)];
  const found = gradients(run.graph, { of: y, seed }, of, add);
  if (found.includes(undefined)) throw new Error(`${label}: a gradient is missing.`);
  const statistics = (golden.statistics ?? []).map(({ name }) => tensors.find((each) => each.name === name)!.id);
  const read = await run.read([y, ...(found as TensorId[]), ...statistics]);
  expectKeras(read[0]!, golden.yTraining ?? golden.y, "forward", `${label} y`);
  const wanted = [...golden.dx!, ...golden.dweights!];
  wanted.forEach((want, i) => {
    const name = i < inputs.length ? `dx ${i}` : `d${parameters[i - inputs.length]!.name}`;
    expectKeras(read[1 + i]!, want, "gradient", `${label} ${name}`);
  });
  golden.statistics?.forEach((want, i) => {
    expectKeras(read[1 + wanted.length + i]!, want, "statistic", `${label} ${want.name}`);
  });
}

/** Adds zeros, which changes nothing: a tensor of the graph's own can be read where a layer only gives it another shape. */
function added(run: GraphRun, x: TensorId): TensorId {
  const { shape } = tensorOf(run.graph, x);
  const zeros = run.addTyped(fill, {}, { shape, value: 0 }).y;
  return run.addTyped(add, { a: x, b: zeros }).c;
}

/** Predicts, and trains for ten steps, as an app does. */
async function checkSteps(golden: LayerCase, steps: NonNullable<LayerCase["steps"]>, model: Model): Promise<void> {
  const optimizer = sgd({ learningRate: steps.rate });
  await model.compile({ loss: squaredError(), optimizer, runtime: await testRuntime() });
  await model.setWeights(golden.weights.map((weight) => ({ data: numbersOf(weight) })));
  const inputs = golden.inputs.map((input) => tensor(numbersOf(input), [...input.shape]));
  const x = inputs.length === 1 ? inputs[0]! : Object.fromEntries(inputs.map((each, i) => [`input_${i}`, each]));
  const predicted = await model.predict(x);
  expectKeras(predicted.data, golden.y, "forward", `${golden.name}: predict`);
  const losses: number[] = [];
  const target = tensor(numbersOf(steps.target), [...steps.target.shape]);
  for (const _ of steps.losses) losses.push((await model.trainOnBatch(x, target)).loss);
  const shape = [losses.length];
  expectKeras(losses, { shape, values: steps.losses }, "loss", `${golden.name}: losses`);
  (await model.getWeights()).forEach(({ data }, i) => {
    const want = steps.weights[i]!;
    expectKeras(data, want, "weight", `${golden.name}: ${want.name} after the steps`);
  });
  model.dispose();
}
