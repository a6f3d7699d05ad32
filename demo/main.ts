// The demo: one button that trains the network, and everything that can be seen of it meanwhile.

import { createRuntime, type Runtime } from "../src/index.ts";
import { createDigits } from "./digits.ts";
import { showFailure } from "./failures.ts";
import { fetchMnist, type Mnist } from "./mnist.ts";
import { LEARNING_RATE } from "./network.ts";
import * as page from "./page.ts";
import { Recorder } from "./recorder.ts";
import { initialSettings, type Settings, testSize } from "./settings.ts";
import { train } from "./training.ts";

const DIGITS = 20;
const DIGITS_NOTE = "Twenty images that the network is never trained on, read again after each epoch.";
const SOFTWARE =
  "This is a software adapter: the browser found no GPU, so your processor runs the shaders. Everything works, but far " +
  "more slowly: expect some minutes with 4,096 images, and fifteen times that with all 60,000.";

const digits = createDigits(page.digitList, DIGITS);
let runtime: Runtime | undefined;
let mnist: Mnist | undefined;
let running: AbortController | undefined;
let batchSize = 0;

addEventListener("error", ({ error, message }) => showFailure(error ?? message));
addEventListener("unhandledrejection", ({ reason }) => showFailure(reason));
await start();

/** Finds the adapter, and sets the options to what suits it. */
async function start(): Promise<void> {
  page.showLayers();
  page.setText("digits-note", DIGITS_NOTE);
  try {
    runtime = await createRuntime();
  } catch (error) {
    page.setText("adapter", "none");
    page.setStatus("unsupported", "Training needs WebGPU.");
    showFailure(error);
  }
  const software = runtime?.adapter.software ?? false;
  const settings = presetSettings(software);
  ({ batchSize } = settings);
  page.showSettings(settings);
  page.setText("method", `SGD, learning rate ${LEARNING_RATE}, batches of ${batchSize}`);
  new Recorder(settings); // Draws the empty curves.
  if (!runtime) return;
  page.setText("adapter", runtime.adapter.label);
  if (software) page.showExpectation(SOFTWARE);
  page.form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (running) stop(running);
    else void run(page.chosenSettings(batchSize));
  });
  page.setTraining(false);
  page.setStatus("ready", "Ready to train.");
}

function presetSettings(software: boolean): Settings {
  try {
    return initialSettings(software, new URLSearchParams(location.search));
  } catch (error) {
    showFailure(error);
    return initialSettings(software, new URLSearchParams());
  }
}

function stop(controller: AbortController): void {
  page.setStopping();
  controller.abort();
}

async function run(settings: Settings): Promise<void> {
  running = new AbortController();
  const { signal } = running;
  page.hideMessage();
  page.setTraining(true);
  const recorder = new Recorder(settings);
  try {
    const data = await load(signal);
    digits.show(data.test);
    page.setText("digits-note", DIGITS_NOTE);
    page.setStatus("training", "Compiling the shaders");
    page.setProgress(undefined);
    runtime ??= await createRuntime();
    await train({ runtime, mnist: data, settings, digits: DIGITS, signal, listener: listen(recorder, data) });
    if (signal.aborted) showStopped(recorder);
    else showFinished(recorder, settings);
  } catch (error) {
    if (signal.aborted) showStopped(recorder);
    else fail(error);
  } finally {
    recorder.ended = true;
    running = undefined;
    page.setTraining(false);
  }
}

function listen(recorder: Recorder, { test }: Mnist) {
  return {
    onStep: recorder.onStep.bind(recorder),
    onEpoch: recorder.onEpoch.bind(recorder),
    onPredictions: (probabilities: Float32Array) => {
      const right = digits.judge(probabilities, test.labels);
      page.setText("digits-note", `${right} of ${DIGITS} right. ${DIGITS_NOTE}`);
    },
  };
}

/** The data, fetched at the first run. */
async function load(signal: AbortSignal): Promise<Mnist> {
  const show = (received: number, total: number | undefined) => {
    const of = total === undefined ? "" : ` of ${page.megabytes(total)}`;
    page.setStatus("loading", "Loading MNIST", `${page.megabytes(received)}${of} MB`);
    page.setProgress(total && received / total);
  };
  if (!mnist) show(0, undefined);
  mnist ??= await fetchMnist(show, signal);
  return mnist;
}

function showFinished({ last }: Recorder, { images, epochs }: Settings): void {
  const after = epochs === 1 ? "one epoch" : `${epochs} epochs`;
  const read = `${page.percent(last?.testAccuracy ?? Number.NaN)} of ${page.count(testSize(images))} test images read right`;
  page.setStatus("finished", `Finished after ${after}: ${read}.`);
}

function showStopped({ progress }: Recorder): void {
  const where = progress ? ` in epoch ${progress.epoch + 1}, after step ${page.count(progress.step)}` : "";
  if (!progress) page.setProgress(0);
  page.setStatus("stopped", `Stopped${where}.`);
}

function fail(error: unknown): void {
  page.setProgress(0);
  page.setStatus("failed", "Training failed.");
  showFailure(error);
  runtime?.dispose(); // It may be what failed: the next run finds a new one.
  runtime = undefined;
}
