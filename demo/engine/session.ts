// The one network of the page: described, made when it is first wanted, trained, looked into, kept.

import type { Sequential } from "../../src/index.ts";
import type { NetworkSpec } from "../network.ts";
import type { Gpu } from "./gpu.ts";
import { modelOf, optimizerOf } from "./models.ts";

export interface Session {
  readonly gpu: Gpu;
  /** What the model of now is made of, or would be. */
  readonly spec: NetworkSpec | undefined;
  /** Takes another description; the model of before is disposed of. */
  describe(spec: NetworkSpec): void;
  /** The compiled model of the description, with first weights where nobody has trained or loaded it. */
  model(): Promise<Sequential>;
  /** Called with each new model, and with `undefined` where there is none any more. */
  onModel(listener: (model: Sequential | undefined) => void): void;
}

export function createSession(gpu: Gpu): Session {
  let spec: NetworkSpec | undefined;
  let made: Promise<Sequential> | undefined;
  const listeners: ((model: Sequential | undefined) => void)[] = [];
  const tell = (model: Sequential | undefined) => {
    for (const listener of listeners) listener(model);
  };

  function drop(): void {
    if (!made) return;
    made.then(
      (model) => model.dispose(),
      () => {},
    );
    made = undefined;
    tell(undefined);
  }
  gpu.onLost(drop);

  async function make(described: NetworkSpec): Promise<Sequential> {
    const model = modelOf(described);
    const runtime = await gpu.runtime();
    await model.compile({
      loss: "sparseCategoricalCrossentropy",
      optimizer: optimizerOf(described.optimizer),
      metrics: ["accuracy"],
      runtime,
      seed: 1,
    });
    return model;
  }

  return {
    gpu,
    get spec() {
      return spec;
    },
    describe(next) {
      drop();
      spec = next;
    },
    model() {
      if (!spec) return Promise.reject(new Error("There is no network yet: describe one first."));
      if (!made) {
        const making = make(spec);
        made = making;
        making.then(
          (model) => made === making && tell(model),
          () => {
            if (made === making) made = undefined; // The next call tries again.
          },
        );
      }
      return made;
    },
    onModel: (listener) => void listeners.push(listener),
  };
}
