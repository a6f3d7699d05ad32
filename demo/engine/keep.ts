// The page's network as a file, and back.

import { type LayerConfig, saveModel, toConfig } from "../../src/index.ts";
import { wordsOf } from "../error-words.ts";
import type { NetworkSpec } from "../network.ts";
import { checkNetwork } from "../network-check.ts";
import { loadModel } from "./files.ts";
import { optimizerOf } from "./models.ts";
import type { Session } from "./session.ts";

const KINDS = new Map([
  ["Conv2D", "conv2d"],
  ["MaxPooling2D", "maxPooling2d"],
  ["AveragePooling2D", "averagePooling2d"],
  ["Dropout", "dropout"],
  ["Flatten", "flatten"],
  ["Dense", "dense"],
]);

/** @param stopTraining Called when a file was found good, before its network takes the place of the one that trains. */
export function createKeep(session: Session, stopTraining: () => Promise<void>) {
  return {
    /**
     * The network with its weights of this moment, as a safetensors file, and what it is made of: the session's or, where
     * nobody has trained it, `spec`'s.
     */
    saveNetwork(spec: NetworkSpec): Promise<{ readonly file: Uint8Array; readonly spec: NetworkSpec }> {
      session.propose(spec);
      return session.gpu.again(async () => {
        const model = await session.model();
        const own = session.spec!;
        return { file: await saveModel(model), spec: own };
      });
    },

    /**
     * Puts a file's network in the place of the session's. Where it cannot, nothing changes.
     *
     * @param training optimizer and batch size, which a file of weights need not have
     * @returns what the network is made of
     * @throws Error where the file is damaged, or holds a network that this page cannot show
     */
    async loadNetwork(bytes: Uint8Array, training: Omit<NetworkSpec, "layers">): Promise<NetworkSpec> {
      const runtime = await session.gpu.runtime();
      const optimizer = optimizerOf(training.optimizer);
      const model = await loadModel(bytes, { runtime, optimizer, metrics: ["accuracy"] });
      try {
        const spec = checkNetwork({ ...training, layers: toConfig(model).layers.map(layerOf) });
        await stopTraining();
        session.adopt(spec, model);
        return spec;
      } catch (error) {
        model.dispose();
        throw new Error(`The file's network is not one that this page can show. ${wordsOf(error)}`);
      }
    },
  };
}

/** A layer of the library's config as the page has it; `checkNetwork` looks at what comes of it. */
function layerOf({ className, config }: LayerConfig): unknown {
  const square = (value: unknown) => {
    if (!Array.isArray(value)) return value;
    const [rows, columns] = value;
    return rows === columns ? rows : value;
  };
  return {
    ...config,
    kind: KINDS.get(className) ?? className,
    kernelSize: square(config.kernelSize),
    poolSize: square(config.poolSize),
    strides: square(config.strides),
  };
}
