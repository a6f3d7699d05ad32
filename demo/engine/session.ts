// The one network of the page: described, made when it is first wanted, trained, looked into, kept.

import type { CompileProgress, Sequential } from "../../src/index.ts";
import type { NetworkSpec } from "../network.ts";
import type { Gpu } from "./gpu.ts";
import { modelOf, optimizerOf } from "./models.ts";

export interface Session {
  readonly gpu: Gpu;
  /** What the model of now is made of, or would be. */
  readonly spec: NetworkSpec | undefined;
  /** Takes another description; the model of before is disposed of. */
  describe(spec: NetworkSpec): void;
  /** Takes a model, compiled to train, and what it is made of; the model of before is disposed of. */
  adopt(spec: NetworkSpec, model: Sequential): void;
  /** The compiled model of the description, with first weights where nobody has trained or loaded it. */
  model(): Promise<Sequential>;
  /** Called with each new model, and with `undefined` where there is none any more. */
  onModel(listener: (model: Sequential | undefined) => void): void;
  /** Called as shaders compile, for whatever plan of the model. */
  onCompiling(listener: (progress: CompileProgress) => void): void;
  /** To be called by who changes the model's weights: trains it, loads others. */
  changed(): void;
  /** Called when they have changed. */
  onWeights(listener: () => void): void;
}

export function createSession(gpu: Gpu): Session {
  let spec: NetworkSpec | undefined;
  let made: Promise<Sequential> | undefined;
  const [onModel, tell] = event<Sequential | undefined>();
  const [onCompiling, compiling] = event<CompileProgress>();
  const [onWeights, changed] = event<void>();

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
      onProgress: compiling,
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
    adopt(next, model) {
      drop();
      spec = next;
      made = Promise.resolve(model);
      tell(model);
      changed();
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
    onModel,
    onCompiling,
    changed,
    onWeights,
  };
}

function event<T>(): [listen: (listener: (value: T) => void) => void, tell: (value: T) => void] {
  const listeners: ((value: T) => void)[] = [];
  const tell = (value: T) => {
    for (const listener of listeners) listener(value);
  };
  return [(listener) => void listeners.push(listener), tell];
}
