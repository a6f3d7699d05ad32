// The training of the page's network, as the engine tells of it, and what one can do about it.

import { batch, computed, effect, signal } from "@preact/signals";
import { proxy } from "comlink";
import type { LayerDescription } from "../engine/models.ts";
import type {
  EpochEnd,
  Place,
  Point,
  RunFacts,
  TrainingEvent,
  TrainingSettings,
  TrainingState,
  Verdict,
} from "../engine/training.ts";
import { DIGITS, type NetworkSpec, sameNetwork } from "../network.ts";
import { architecture } from "./architecture.ts";
import { engine, engineReady } from "./engine.ts";
import { latest } from "./latest.ts";
import { notifyError } from "./notices.ts";
import { presets } from "./presets.ts";
import { forgetLoss, tellLost, tellRunning } from "./recovery.ts";

if (presets.network) architecture.value = presets.network(architecture.value);

/** Of the next run. What the address or the reader chose stays; else the adapter decides. */
export const settings = signal<TrainingSettings>({ images: 60_000, epochs: 5, ...presets.settings });
void engineReady.then(({ software }) => {
  if (software) settings.value = { images: 4096, epochs: 3, ...presets.settings };
});

export const state = signal<TrainingState>("idle");
/** From the press on Stop or Reset until the last step is done. */
export const ending = signal(false);
export const failure = signal<{ readonly code: string; readonly message: string } | undefined>(undefined);
/** Bytes of MNIST, while they come in. */
export const loading = signal<{ readonly received: number; readonly total: number | undefined } | undefined>(undefined);
/** Shaders, while they compile. */
export const compiling = signal<{ readonly compiled: number; readonly total: number } | undefined>(undefined);
/** The run of now, or the last one. */
export const run = signal<RunFacts | undefined>(undefined);
export const place = signal<Place | undefined>(undefined);
export const points = signal<readonly Point[]>([]);
export const epochEnds = signal<readonly EpochEnd[]>([]);
export const verdict = signal<Verdict | undefined>(undefined);
/** Of the verdict's test images, how many are read right. */
export const right = computed(() => {
  const digits = Array.from({ length: DIGITS }, (_, digit) => digit);
  return verdict.value && digits.reduce((sum, digit) => sum + verdict.value!.counts[digit * DIGITS + digit]!, 0);
});
export const shareRight = computed(() => verdict.value && right.value! / verdict.value.images);
/** The network that the engine has, once it has one. */
export const network = signal<{ readonly spec: NetworkSpec; readonly layers: readonly LayerDescription[] } | undefined>(
  undefined,
);

/** Epochs that the network has learned for, in all its runs here, as far as it was told. */
export const epochsLearned = computed(() =>
  Math.max(run.value?.from ?? 0, points.value.at(-1)?.x ?? 0, epochEnds.value.at(-1)?.x ?? 0),
);

/** Counts changes of the weights: who shows what the network says can ask it anew. */
export const weights = signal(0);

/** The weights are others than the first ones. */
const learned = signal(false);
/** The network came from a file, or from what this browser keeps. */
export const opened = signal(false);
/** A training has begun, or a network was loaded. */
export const begun = computed(() => run.value !== undefined || learned.value);

/** A run is under way, if only paused. */
export const busy = computed(() => ["loading", "compiling", "training", "paused"].includes(state.value));
/** The network above is another than the one that was trained: only Reset takes it up. */
export const outdated = computed(
  () => network.value !== undefined && begun.value && !sameNetwork(network.value.spec, architecture.value),
);

void engineReady.then(() => engine.watchTraining(proxy((event: TrainingEvent) => batch(() => take(event)))));

function take(event: TrainingEvent): void {
  switch (event.kind) {
    case "state":
      state.value = event.state;
      if (event.state === "loading") failure.value = undefined;
      if (event.state === "training" || event.state === "paused") tellRunning();
      if (event.state === "stopped" || event.state === "idle") forgetLoss();
      break;
    case "fresh":
      learned.value = false;
      opened.value = false;
      for (const one of [failure, run, place, verdict, network]) one.value = undefined;
      points.value = [];
      epochEnds.value = [];
      break;
    case "failure":
      failure.value = event;
      forgetLoss();
      break;
    case "loading":
      loading.value = event;
      break;
    case "compiling":
      compiling.value = event.compiled < event.total ? event : undefined;
      break;
    case "network":
      network.value = event;
      break;
    case "run":
      run.value = event.facts;
      points.value = points.value.filter(({ x }) => x <= event.facts.from);
      epochEnds.value = epochEnds.value.filter(({ x }) => x <= event.facts.from);
      break;
    case "place":
      place.value = event.place;
      break;
    case "point":
      points.value = [...points.value, event.point];
      break;
    case "epoch":
      epochEnds.value = [...epochEnds.value, event.end];
      break;
    case "verdict":
      verdict.value = event.verdict;
      break;
    case "weights":
      learned.value = true;
      if (!run.value) opened.value = true;
      weights.value++;
      break;
    case "recovering":
      tellLost(event.why);
      break;
  }
}

const setLearningRate = latest((rate: number) => engine.setLearningRate(rate));
effect(() => {
  const { name, learningRate } = architecture.value.optimizer;
  // The rate of another optimizer is of the network to come.
  if (network.peek() && network.peek()!.spec.optimizer.name !== name) return;
  setLearningRate(learningRate).catch((error: unknown) =>
    notifyError("training", "The learning rate could not be changed.", error),
  );
});

export async function start(): Promise<void> {
  forgetLoss();
  await engine.startTraining(architecture.value, settings.value);
}

export async function pauseOrResume(): Promise<void> {
  await (state.value === "paused" ? engine.resumeTraining() : engine.pauseTraining());
}

export const stop = () => endBy(() => engine.stopTraining());

/** The network, as it is described now, begins anew. */
export const reset = () => endBy(() => engine.resetTraining(architecture.value));

async function endBy(end: () => Promise<void>): Promise<void> {
  ending.value = true;
  try {
    await end();
  } catch (error) {
    notifyError("training", "Training could not be ended.", error);
  } finally {
    ending.value = false;
  }
}
