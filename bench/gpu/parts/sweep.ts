// The time of every candidate that a tuner could choose from, and of a wide grid of tiles: the data for the shipped rules.

import { createRuntime, type Runtime, sgd, tensor } from "../../../src/index.ts";
import type { Tuner } from "../../../src/plan/tuning-task.ts";
import { NETWORKS, type NetworkName, PLAIN_NETWORKS } from "../../networks.ts";
import { modelOf } from "../../systems/featuremap.ts";
import { LEARNING_RATE, PIXELS } from "../../systems/system.ts";
import { type Part, runPart } from "../part.ts";
import { type NetworkSweep, Sweep } from "../sweep.ts";

await runPart("sweep", async (part) => {
  const runtime = await createRuntime();
  const sweeps: NetworkSweep[] = [];
  for (const network of part.quick ? (["article"] as const) : PLAIN_NETWORKS) {
    const sweep: NetworkSweep = { network, algorithms: [], tiles: {} };
    sweeps.push(sweep);
    const save = () => part.save({ adapter: runtime.adapter, sweeps });
    await trainOnce(runtime, part, network, {
      tune: async (task) => {
        await new Sweep(task, part, sweep, save).run();
        return { choices: task.choices, counts: { measured: 0, remembered: 0, skipped: 0 } };
      },
    });
  }
});

/** One step of a network, before which its plan is handed to the tuner. */
async function trainOnce(runtime: Runtime, part: Part, name: NetworkName, tune: Tuner): Promise<void> {
  const network = NETWORKS[name];
  const batch = part.quick ? 8 : network.batch;
  const model = modelOf(network);
  const optimizer = sgd({ learningRate: LEARNING_RATE });
  await model.compile({ loss: "sparseCategoricalCrossentropy", optimizer, runtime, tune });
  const { images, labels } = await part.load(batch);
  const x = tensor(images.subarray(0, batch * PIXELS), [batch, 28, 28, 1], { scale: 1 / 255 });
  await model.trainOnBatch(x, tensor(Uint32Array.from(labels), [batch]));
  model.dispose();
}
