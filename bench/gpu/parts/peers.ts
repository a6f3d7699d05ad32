// Our training step and inference beside those of borch, jax-js and TensorFlow.js, in turns, on the same device.

import { version as featuremap } from "../../../package.json";
import { PLAIN_NETWORKS } from "../../networks.ts";
import { version as jaxJs } from "../../node_modules/@jax-js/jax/package.json";
import { version as tfjs } from "../../node_modules/@tensorflow/tfjs-backend-webgpu/package.json";
import { version as borch } from "../../node_modules/borch/package.json";
import { runPart } from "../part.ts";
import { measurePeers, type Schedule } from "../peers.ts";

/** In the order of their turns: who is likeliest to fail or to take long comes last. */
const PEERS = {
  featuremap: { version: featuremap, load: () => import("../../systems/featuremap.ts") },
  "jax-js-webgpu": { version: jaxJs, load: () => import("../../systems/jax-js-webgpu.ts") },
  "tfjs-webgpu": { version: tfjs, load: () => import("../../systems/tfjs-webgpu.ts") },
  "borch-webgpu": { version: borch, load: () => import("../../systems/borch-webgpu.ts") },
} as const;

/** A minute on a GPU, half of it in rounds; borch chooses its kernels in the other. */
const FULL: Schedule = {
  networks: PLAIN_NETWORKS,
  systems: ["featuremap", "jax-js-webgpu", "tfjs-webgpu", "borch-webgpu"],
  rounds: 5,
  batches: 64,
  groupMs: 300,
  inferMs: 100,
  warmMs: 200,
  setupMs: 25_000,
  until: { article: 45_000, second: 70_000 },
};

/** Without a GPU borch measures its adapter for two minutes, and TensorFlow.js takes seconds a step. */
const QUICK: Schedule = {
  ...FULL,
  networks: ["article"],
  systems: ["featuremap", "jax-js-webgpu"],
  batch: 8,
  rounds: 1,
  batches: 4,
  groupMs: 100,
  inferMs: 20,
  warmMs: 0,
};

await runPart("peers", async (part) => {
  // What the peers want of a page, part.ts has given: `navigator`, WebGPU's constants and, to TensorFlow.js in Node, `require`.
  // A rejection that one of them lets go must not end the process for the others.
  process.on("unhandledRejection", (error) => part.say(`A rejection that nobody handled: ${error}`));
  // A rehearsal loads all of them, so that a bundle that lacks something is seen.
  if (part.quick) for (const { load } of Object.values(PEERS)) await load();
  await measurePeers(part, PEERS, part.quick ? QUICK : FULL);
});
