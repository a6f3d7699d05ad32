import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { csvLogger } from "../../src/callbacks/csv-logger.ts";
import { History } from "../../src/training/history.ts";
import golden from "../golden/callbacks.json";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "csv-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function run(callback: ReturnType<typeof csvLogger>, epochs: readonly Record<string, number>[]): Promise<void> {
  await callback.onTrainBegin?.({ epochs: epochs.length, steps: 1, batchSize: 1 });
  for (const [epoch, logs] of epochs.entries()) await callback.onEpochEnd?.(epoch, logs as { loss: number });
  await callback.onTrainEnd?.(new History());
}

it("csvLogger replaces a file, or adds to it without a second header, as Keras does", async () => {
  for (const [i, { options, text, appended }] of golden.csvLogger.entries()) {
    const path = join(folder, `${i}.csv`);
    const file = i === 0 ? path : pathToFileURL(path);
    const two = [
      { loss: 0.5, zeta: 1, alpha: 3 },
      { loss: 0.25, zeta: 2, alpha: 4 },
    ];
    await run(csvLogger(file, { ...options, append: true }), two);
    await run(csvLogger(file, options), two);
    expect(await readFile(path, "utf8")).toBe(text);
    await run(csvLogger(file, { ...options, append: true }), [{ loss: 0.125, zeta: Number.NaN, alpha: 1e-8 }]);
    expect(await readFile(path, "utf8")).toBe(appended);
  }
});

it("csvLogger writes numbers as Python does, NA for what is missing, and quotes what needs it", async () => {
  let text = "";
  const callback = csvLogger((piece) => {
    text += piece;
  });
  await run(callback, [
    { loss: 1e16, val_loss: 0.1, "a,b": -0.00001234, 'c"d': Number.POSITIVE_INFINITY },
    { loss: 123456789, val_loss: 1e-4 },
  ]);
  expect(text).toBe('epoch,"a,b","c""d",loss,val_loss\n0,-1.234e-05,inf,1e+16,0.1\n1,NA,NA,123456789.0,0.0001\n');
});

it("csvLogger says which file it cannot write", async () => {
  const callback = csvLogger(join(folder, "nowhere", "log.csv"));
  await expect(run(callback, [{ loss: 1 }])).rejects.toMatchObject({
    code: "data",
    message: /nowhere.* cannot be written: /,
  });
  expect(() => csvLogger("")).toThrow(/csvLogger: file must be the path or URL of a file, or a function/);
});
