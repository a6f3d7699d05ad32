// The one network of the page: described, made when it is first wanted, trained, looked into, kept.

import {
  type CompileProgress,
  type Model,
  restore,
  type Snapshot,
  setHyperparameters,
  snapshot,
} from "../../src/index.ts";
import { type NetworkSpec, sameNetwork } from "../network.ts";
import type { Gpu } from "./gpu.ts";
import { modelOf, optimizerOf } from "./models.ts";

export interface Session {
  readonly gpu: Gpu;
  /** What the model of now is made of, or would be. */
  readonly spec: NetworkSpec | undefined;
  /** Takes another description; the model of before is disposed of. */
  describe(spec: NetworkSpec): void;
  /** Takes up another description where nothing that was learned is lost by it: nobody has trained the network, or does. */
  propose(spec: NetworkSpec): void;
  /** Set by who trains, as long as it does. */
  training: boolean;
  /** Takes a model, compiled to train, and what it is made of; the model of before is disposed of. */
  adopt(spec: NetworkSpec, model: Model): void;
  /** The compiled model of the description, with first weights where nobody has trained or loaded it. */
  model(): Promise<Model>;
  /** Called where another network takes the place of what was there, before its model is. */
  onFresh(listener: () => void): void;
  /** Called with each new model, and with `undefined` where there is none any more. */
  onModel(listener: (model: Model | undefined) => void): void;
  /** Called as shaders compile, for whatever plan of the model. */
  onCompiling(listener: (progress: CompileProgress) => void): void;
  /** Whether the weights are others than the first ones: `describe` would forget something. */
  readonly touched: boolean;
  /** To be called by who changes the model's weights: trains it, loads others. */
  changed(): void;
  /** For who has seen a model fail: where it is the one of now, the next one is made of what was kept. */
  renew(failed: Model): void;
  /** Keeps the weights of now in memory, so that they outlive the device. */
  keep(): Promise<void>;
  /** As `keep`, for who has a snapshot. */
  remember(kept: Snapshot): void;
  /** From the next step on, and in later models of the description. */
  setLearningRate(learningRate: number): Promise<void>;
  /** Called when they have changed. */
  onWeights(listener: () => void): void;
}

export function createSession(gpu: Gpu): Session {
  let spec: NetworkSpec | undefined;
  let made: Promise<Model> | undefined;
  let touched = false;
  let training = false;
  let kept: Snapshot | undefined;
  const [onFresh, tellFresh] = event<void>();
  const [onModel, tell] = event<Model | undefined>();
  const [onCompiling, compiling] = event<CompileProgress>();
  const [onWeights, tellWeights] = event<void>();

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

  function become(next: NetworkSpec): void {
    drop();
    spec = next;
    kept = undefined;
    touched = false;
    tellFresh();
  }

  function changed(): void {
    touched = true;
    tellWeights();
  }

  async function keep(): Promise<void> {
    const model = await made;
    const taken = model && (await snapshot(model));
    if (taken && model === (await made)) kept = taken;
  }

  async function make(described: NetworkSpec): Promise<Model> {
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
    if (kept) {
      await restore(model, kept);
      await setHyperparameters(model, { learningRate: spec!.optimizer.learningRate });
    }
    return model;
  }

  return {
    gpu,
    get spec() {
      return spec;
    },
    get touched() {
      return touched;
    },
    get training() {
      return training;
    },
    set training(now) {
      training = now;
    },
    describe: become,
    propose(next) {
      if (!spec || !(touched || training || sameNetwork(spec, next))) become(next);
    },
    adopt(next, model) {
      become(next);
      made = Promise.resolve(model);
      tell(model);
      changed();
      keep().catch(() => {}); // The device is lost at once, or the next network is there.
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
    onFresh,
    onModel,
    onCompiling,
    changed,
    renew(failed) {
      const asked = made;
      asked?.then(
        (model) => model === failed && made === asked && drop(),
        () => {},
      );
    },
    keep,
    remember(taken) {
      kept = taken;
    },
    async setLearningRate(learningRate) {
      if (!spec) return;
      spec = { ...spec, optimizer: { ...spec.optimizer, learningRate } };
      const model = await made;
      if (model) await setHyperparameters(model, { learningRate });
    },
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
