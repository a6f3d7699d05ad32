import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PbfReader } from "pbf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Callback } from "../../src/index.ts";
import { INTERNALS } from "../../src/model/internals.ts";
import { eventRecord, maskedCrc } from "../../src/tensorboard/event-file.ts";
import { type TensorBoardOptions, tensorBoard } from "../../src/tensorboard/tensorboard.ts";
import { failure } from "../support/building.ts";

interface Read {
  wallTime: number;
  step: number;
  version: string | undefined;
  scalars: Record<string, number>;
}

/** Reads an event file by the published formats. It checks every length and checksum. */
function eventsOf(bytes: Uint8Array): Read[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const events: Read[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = view.getUint32(at, true);
    expect(view.getUint32(at + 4, true)).toBe(0);
    expect(view.getUint32(at + 8, true)).toBe(maskedCrc(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(view.getUint32(at + 12 + length, true)).toBe(maskedCrc(data));
    events.push(eventOf(data));
    at += 16 + length;
  }
  expect(at).toBe(bytes.length);
  return events;
}

function eventOf(data: Uint8Array): Read {
  const event: Read = { wallTime: 0, step: 0, version: undefined, scalars: {} };
  const value = (tag: number, read: { tag: string; value: number }, pbf: PbfReader) => {
    if (tag === 1) read.tag = pbf.readString();
    else if (tag === 2) read.value = pbf.readFloat();
    else throw new Error(`Summary.Value has field ${tag}`);
  };
  const summary = (tag: number, scalars: Read["scalars"], pbf: PbfReader) => {
    expect(tag).toBe(1);
    const { tag: name, value: number } = pbf.readMessage(value, { tag: "", value: Number.NaN });
    scalars[name] = number;
  };
  return new PbfReader(data).readFields((tag, read: Read, pbf) => {
    if (tag === 1) read.wallTime = pbf.readDouble();
    else if (tag === 2) read.step = pbf.readVarint();
    else if (tag === 3) read.version = pbf.readString();
    else if (tag === 5) pbf.readMessage(summary, read.scalars);
    else throw new Error(`Event has field ${tag}`);
  }, event);
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "featuremap-tensorboard-"));
});
afterAll(() => rm(folder, { recursive: true }));

let runs = 0;

/** Runs the hooks of a training of 2 epochs of 3 steps, validated, and reads what is in its folders. */
async function trained(options?: TensorBoardOptions) {
  const logDir = join(folder, `run ${runs++}`, "first");
  const callback = tensorBoard(logDir, options);
  const model = { steps: 10 };
  callback.setModel?.(modelOf(model) as never);
  await callback.onTrainBegin?.({ epochs: 2, steps: 3, batchSize: 4 });
  for (let epoch = 0; epoch < 2; epoch++) {
    await callback.onEpochBegin?.(epoch);
    for (let batch = 0; batch < 3; batch++) {
      model.steps++;
      const read = { samples: 4, badStep: 0 };
      await callback.onTrainBatchEnd?.(batch, { loss: 1 / (epoch + batch + 1) }, read);
    }
    await callback.onTestEnd?.({ loss: 3 - epoch, accuracy: 0.5 });
    await callback.onEpochEnd?.(epoch, { loss: 2 - epoch, accuracy: 0.25, val_loss: 3 - epoch, val_accuracy: 0.5 });
  }
  const read = async (part: string) => {
    const names = await readdir(join(logDir, part));
    expect(names).toHaveLength(1);
    expect(names[0]).toMatch(/^events\.out\.tfevents\.\d{10}\.featuremap\.[0-9a-f]{8}\.v2$/);
    return eventsOf(await readFile(join(logDir, part, names[0]!)));
  };
  return { train: await read("train"), validation: await read("validation"), callback };
}

/** A model as the callback sees one: its steps so far, and its learning rate. */
function modelOf(counts: { readonly steps: number }) {
  const compiled = { network: {}, variables: { store: { rates: { learningRate: 0.125 } } } };
  const internals = { training: {}, ready: async () => compiled };
  return { [INTERNALS]: internals, stats: () => ({ steps: counts.steps }) };
}

const told = (events: readonly Read[]) => events.map(({ step, scalars }) => [step, scalars]);

describe("tensorBoard", () => {
  it("writes the figures of epochs by Keras's names, of training and of validation apart", async () => {
    const { train, validation, callback } = await trained();
    expect(train[0]).toMatchObject({ step: 0, version: "brain.Event:2", scalars: {} });
    expect(told(train.slice(1))).toEqual([
      [0, { epoch_loss: 2, epoch_accuracy: 0.25, epoch_learning_rate: 0.125 }],
      [1, { epoch_loss: 1, epoch_accuracy: 0.25, epoch_learning_rate: 0.125 }],
    ]);
    expect(validation[0]!.version).toBe("brain.Event:2");
    expect(told(validation.slice(1))).toEqual([
      [13, { evaluation_loss_vs_iterations: 3, evaluation_accuracy_vs_iterations: 0.5 }],
      [0, { epoch_loss: 3, epoch_accuracy: 0.5 }],
      [16, { evaluation_loss_vs_iterations: 2, evaluation_accuracy_vs_iterations: 0.5 }],
      [1, { epoch_loss: 2, epoch_accuracy: 0.5 }],
    ]);
    const seconds = Date.now() / 1000;
    for (const { wallTime } of [...train, ...validation]) expect(Math.abs(seconds - wallTime)).toBeLessThan(60);
    expect(callback.onTrainBatchEnd).toBeUndefined();
  });

  it("writes the figures of batches, each or now and then, by the steps of the fit", async () => {
    const of = async (updateFreq: "batch" | number) => {
      const { train, callback } = await trained({ updateFreq });
      expect(callback.exactLogs).toBe(true);
      return told(train.filter(({ scalars }) => "batch_loss" in scalars)).map(([step]) => step);
    };
    expect(await of("batch")).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await of(2)).toEqual([2, 4, 6]);
    expect(await of(4)).toEqual([4]);
  });

  it("writes steps a second where it is asked to", async () => {
    const { train } = await trained({ updateFreq: "batch", writeStepsPerSecond: true });
    const speeds = train.flatMap(({ scalars }) => [scalars.epoch_steps_per_second, scalars.batch_steps_per_second]);
    const there = speeds.filter((speed) => speed !== undefined);
    expect(there).toHaveLength(8);
    expect(there.every((speed) => speed > 0)).toBe(true);
  });

  it.each([
    [() => tensorBoard(""), "tensorBoard: logDir must be a word"],
    [() => tensorBoard("a", { updateFreq: 0 }), "tensorBoard: updateFreq must be a whole number of at least 1"],
    [() => tensorBoard("a", { updateFreq: "step" } as never), "tensorBoard: updateFreq must be a whole number"],
    [() => tensorBoard("a", { histogramFreq: 1 } as never), 'tensorBoard has no option "histogramFreq"'],
    [() => tensorBoard("a", { writeStepsPerSecond: 1 } as never), "tensorBoard: writeStepsPerSecond must be true or"],
  ] satisfies [() => Callback, string][])("refuses what is wrong", (call, message) => {
    expect(failure(call)).toMatchObject({ code: "value", message: expect.stringContaining(message) });
  });

  it("says which file cannot be written", async () => {
    const file = join(folder, "a file");
    await writeFile(file, "");
    const callback = tensorBoard(file);
    callback.setModel?.(modelOf({ steps: 0 }) as never);
    await expect(callback.onTestEnd?.({ loss: 1 })).rejects.toMatchObject({
      code: "data",
      message: expect.stringMatching(/^tensorBoard: ".*a file\/validation\/events.* cannot be written: /),
    });
  });
});

describe("a record", () => {
  it("has the checksum of the Castagnoli polynomial, masked", () => {
    // CRC-32C of "123456789" is e3069283, and of 32 zeros 8a9136aa (RFC 3720, B.4).
    const masked = (crc: number) => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
    expect(maskedCrc(new TextEncoder().encode("123456789"))).toBe(masked(0xe3069283));
    expect(maskedCrc(new Uint8Array(32))).toBe(masked(0x8a9136aa));
  });

  it("keeps numbers that are not finite, steps beyond 32 bits, and names of any signs", () => {
    const scalars = [
      { tag: "ä/☃", value: Number.NaN },
      { tag: "b", value: Number.POSITIVE_INFINITY },
    ];
    const [event] = eventsOf(eventRecord({ wallTime: 1.5, step: 2 ** 40 + 1, scalars }));
    expect(event).toEqual({
      wallTime: 1.5,
      step: 2 ** 40 + 1,
      version: undefined,
      scalars: { "ä/☃": Number.NaN, b: Number.POSITIVE_INFINITY },
    });
  });
});
