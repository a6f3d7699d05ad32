import { readBuffers } from "../../src/gpu/readback.ts";
import { sweepState } from "../../src/graph/step-state.ts";
import { byteLength } from "../../src/graph/tensor.ts";
import type { TensorData } from "../../src/index.ts";
import {
  averagePooling2d,
  conv2d,
  createDataset,
  dense,
  flatten,
  type Layer,
  maxPooling2d,
  type Runtime,
  sgd,
} from "../../src/index.ts";
import { networkOfLayers } from "../../src/network/layer-stack.ts";
import { prepare } from "../../src/plan/executable.ts";
import { adapterClassOf } from "../../src/plan/shipped-tiles.ts";
import { type PortKind, portKey } from "../../src/program/builder.ts";
import { trainingProgram } from "../../src/program/programs.ts";
import { VariableStore } from "../../src/program/variable-store.ts";
import { variablesOf } from "../../src/program/variables.ts";
import { measuresOf } from "./programs.ts";

export interface GoldenTensor {
  name: string;
  shape: number[];
  norm: number;
  projections: number[];
}

/** What `test/golden/make_golden.py` wrote. */
export interface Golden {
  network: Record<string, unknown>[];
  batchSize: number;
  learningRate: number;
  losses: number[];
  correct: number[];
  gradients: Record<"1" | "30", GoldenTensor[]>;
}

const LAYERS = { conv2d, maxPooling2d, averagePooling2d, flatten, dense } as Record<string, (options: object) => Layer>;

/** The layers of a golden network. */
export function goldenLayers({ network }: Golden): Layer[] {
  return network.map(({ layer, ...options }, i) =>
    LAYERS[layer as string]!(i === 0 ? { ...options, inputShape: [28, 28, 1] } : options),
  );
}

/** The gradient of the mean loss over one batch for every parameter, by a plan that keeps its gradients. */
export async function gradientsOf(
  runtime: Runtime,
  layers: readonly Layer[],
  weights: readonly Float32Array[],
  batch: { x: TensorData; y: TensorData },
): Promise<Float32Array[]> {
  const network = networkOfLayers(layers);
  const dataset = await createDataset(runtime, batch);
  const samples = dataset.size;
  const optimizer = sgd();
  const measures = measuresOf(network);
  const [input, label] = dataset.columns;
  const program = trainingProgram({
    network,
    capacity: samples,
    columns: [{ ...input!, index: 0, scale: batch.x.scale ?? 1 }],
    adapter: adapterClassOf(runtime),
    choices: {},
    measures,
    optimizer,
    keepGradients: true,
  });
  const executable = await prepare(runtime, program.plan);
  const variables = variablesOf(network, optimizer, measures);
  const store = await VariableStore.create(runtime, variables, { seed: 0, rates: optimizer.hyperparameters });
  await store.write(store.of("parameter").map((stored, i) => [stored, weights[i]!]));
  const order = await runtime.buffers.createOne({ label: "order", bytes: samples * 4 });
  const { queue } = runtime.device;
  queue.writeBuffer(
    order.buffer,
    0,
    Uint32Array.from({ length: samples }, (_, i) => i),
  );
  queue.writeBuffer(store.cursor("training").state, 0, sweepState({ step: 0, samples, batch: samples }));
  const port = (kind: PortKind) => program.ports.get(portKey(kind))!;
  const run = executable.bind(
    store
      .bindings(program.variables, "training")
      .set(port("input"), input!.buffer)
      .set(port("label"), label!.buffer)
      .set(port("order"), order.buffer),
  );
  const encoder = runtime.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  run.encode(pass);
  pass.end();
  queue.submit([encoder.finish()]);
  const read = await readBuffers(
    runtime,
    network.parameters.map((parameter) => ({
      buffer: run.bufferOf(program.gradients.get(parameter.path)!),
      bytes: byteLength(parameter),
    })),
  );
  order.release();
  for (const owner of [executable, store, dataset]) owner.dispose();
  return read.map((bytes) => new Float32Array(bytes));
}
