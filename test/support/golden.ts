import { readBuffers } from "../../src/gpu/readback.ts";
import { byteLength } from "../../src/graph/graph.ts";
import { sweepState } from "../../src/graph/step-state.ts";
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
import { lossNamed } from "../../src/losses/losses.ts";
import { Network } from "../../src/network/network.ts";
import { prepare } from "../../src/plan/executable.ts";
import { adapterClassOf } from "../../src/plan/shipped-tiles.ts";
import { ModelState } from "../../src/program/model-state.ts";
import { dataKind, trainingProgram } from "../../src/program/programs.ts";

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
  const network = new Network();
  for (const layer of layers) network.add(layer);
  const dataset = await createDataset(runtime, batch);
  const samples = dataset.size;
  const optimizer = sgd();
  const program = trainingProgram({
    network,
    capacity: samples,
    data: dataKind(dataset, batch.x.scale ?? 1),
    adapter: adapterClassOf(runtime),
    choices: {},
    loss: lossNamed("categoricalCrossentropy"),
    optimizer,
    keepGradients: true,
  });
  const executable = await prepare(runtime, program.plan);
  const state = await ModelState.create(runtime, network, optimizer, 0);
  state.write(state.parameterBuffers, weights);
  const order = await runtime.buffers.createOne({ label: "order", bytes: samples * 4 });
  const { queue } = runtime.device;
  queue.writeBuffer(
    order.buffer,
    0,
    Uint32Array.from({ length: samples }, (_, i) => i),
  );
  queue.writeBuffer(state.place("train").state, 0, sweepState({ step: 0, samples, batch: samples }));
  const { tensors } = program;
  const run = executable.bind(
    state
      .bindings(tensors, "train")
      .set(tensors.samples, dataset.x.buffer)
      .set(tensors.labels!, dataset.y!.buffer)
      .set(tensors.order!, order.buffer),
  );
  const encoder = runtime.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  run.encode(pass);
  pass.end();
  queue.submit([encoder.finish()]);
  const read = await readBuffers(
    runtime,
    tensors.gradients!.map((id, i) => ({
      buffer: run.bufferOf(id),
      bytes: byteLength({ shape: network.parameters[i]!.shape, dtype: "f32" }),
    })),
  );
  order.release();
  for (const owner of [executable, state, dataset]) owner.dispose();
  return read.map((bytes) => new Float32Array(bytes));
}
