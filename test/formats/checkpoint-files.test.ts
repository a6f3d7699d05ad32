import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { checkpointFiles } from "../../src/formats/checkpoint-files.ts";
import golden from "../golden/callbacks.json";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "checkpoints-"));
});
afterAll(() => rm(folder, { recursive: true }));

it("checkpointFiles names files as Keras does, and makes their folder", async () => {
  const series = golden.series as Readonly<Record<string, readonly (number | string | null)[]>>;
  const all = golden.modelCheckpoint.filter(({ options }) => Object.keys(options).length === 0);
  expect(all.length).toBeGreaterThan(4);
  for (const { series: name, files } of all) {
    const save = checkpointFiles(join(folder, name, "{epoch:02d}-{val_loss:.2f}"));
    for (const [epoch, value] of series[name]!.entries())
      await save(Uint8Array.of(epoch), { epoch, batch: undefined, logs: { loss: 1, val_loss: Number(value) } });
    expect((await readdir(join(folder, name))).sort()).toEqual(files);
    expect([...(await readFile(join(folder, name, files[3]!)))]).toEqual([3]);
  }
  await checkpointFiles(join(folder, "{batch}-{loss}"))(Uint8Array.of(1), { epoch: 0, batch: 7, logs: { loss: 0.5 } });
  expect(await readdir(folder)).toContain("8-0.5");
});

it("checkpointFiles refuses fields that it does not know, and says what it cannot write", async () => {
  expect(() => checkpointFiles("{epoch:>4}")).toThrow(/has a field in another form. Fields are {name}, {name:02d}/);
  const at = { epoch: 0, batch: undefined, logs: { loss: 1 } };
  await expect(checkpointFiles("{val_loss:.2f}")(Uint8Array.of(1), at)).rejects.toThrow(
    /no "val_loss". There are: loss, epoch/,
  );
  await checkpointFiles(join(folder, "file"))(Uint8Array.of(1), at);
  await expect(checkpointFiles(join(folder, "file", "x"))(Uint8Array.of(1), at)).rejects.toMatchObject({
    code: "data",
  });
});
