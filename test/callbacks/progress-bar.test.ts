import { afterEach, expect, it, vi } from "vitest";
import { progressBar } from "../../src/callbacks/progress-bar.ts";
import type { Callback } from "../../src/training/callback.ts";
import { epochLogger } from "../../src/training/epoch-logger.ts";

afterEach(() => vi.restoreAllMocks());

/** Two steps of a second each, then the validation's figures. */
function train(callback: Callback): void {
  let now = 1000;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  callback.onTrainBegin!({ epochs: 3, steps: 2, batchSize: 4 });
  callback.onEpochBegin!(1);
  for (const batch of [0, 1]) {
    now += 1000;
    callback.onTrainBatchEnd?.(batch, { loss: 0.5, accuracy: 0.25 }, { samples: 4 * (batch + 1), badStep: 0 });
  }
  callback.onEpochEnd!(1, { loss: 0.5, accuracy: 0.25, val_loss: 0.00012, val_accuracy: Number.NaN });
}

it("epochLogger prints a line an epoch, metrics in Keras's order", () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  train(epochLogger());
  expect(log.mock.calls.flat()).toEqual([
    "Epoch 2/3",
    "2/2 - 2s - 1000ms/step - accuracy: 0.2500 - loss: 0.5000 - val_accuracy: NaN - val_loss: 1.2000e-4",
  ]);
});

const BAR = "━━━━━━━━━━━━━━━━━━━━";
const LAST = `2/2 ${BAR} 2s 1s/step - accuracy: 0.2500 - loss: 0.5000 - val_accuracy: nan - val_loss: 1.2000e-04`;

it("progressBar redraws its line on a terminal, cut to its width until it is finished", () => {
  const written: string[] = [];
  train(progressBar({ isTTY: true, columns: 30, write: (text) => written.push(text) }));
  expect(written).toEqual(["Epoch 2/3\n", `\r1/2 ${BAR} 1s 1…\x1b[K`, `\r2/2 ${BAR} 0s 1…\x1b[K`, `\r${LAST}\x1b[K\n`]);
});

it("progressBar prints a line an epoch where nothing can be redrawn", () => {
  const written: string[] = [];
  train(progressBar({ write: (text) => written.push(text) }));
  expect(written).toEqual(["Epoch 2/3\n", `${LAST}\n`]);
});
