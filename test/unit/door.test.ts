import { describe, expect, it } from "vitest";
import { Door } from "../../src/model/door.ts";

/** A promise that a test settles. */
function deferred() {
  let resolve = () => {};
  let reject = (_: Error) => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

describe("the door of a model", () => {
  it("lets one call at a time have the model, which begins before it returns, and names who has it", async () => {
    const door = new Door();
    const fit = deferred();
    let begun = false;
    const fitting = door.alone("fit", () => {
      begun = true;
      return fit.promise;
    });
    expect(begun).toBe(true);
    await expect(door.alone("compile", async () => {})).rejects.toMatchObject({
      code: "state",
      message: "compile: the model is busy with fit. Await it first.",
    });
    expect(() => door.assertFree("model.add")).toThrow(/model.add: the model is busy with fit/);
    fit.resolve();
    await fitting;
    door.assertFree("model.add");
  });

  it("is free again after a call that failed", async () => {
    const door = new Door();
    await expect(door.alone("fit", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await door.alone("fit", async () => 3)).toBe(3);
  });

  it("takes writes in the order of the calls, also after one that failed, and tells when they are done", async () => {
    const door = new Door();
    const [first, second] = [deferred(), deferred()];
    const seen: number[] = [];
    const writes = [
      door.write("setWeights", async () => {
        await first.promise;
        seen.push(1);
      }),
      door.write("setWeights", async () => {
        seen.push(2);
        await second.promise;
      }),
      door.write("setWeights", async () => void seen.push(3)),
    ];
    const written = door.written.then(() => seen.push(4));
    expect(() => door.assertFree("model.add")).toThrow(/busy with a write of its parameters/);
    first.resolve();
    await writes[0];
    second.reject(new Error("refused"));
    await expect(writes[1]).rejects.toThrow("refused");
    await writes[2];
    await written;
    expect(seen).toEqual([1, 2, 3, 4]);
    door.assertFree("model.add");
  });

  it("lets writes in while a training runs, and during nothing else", async () => {
    const door = new Door();
    const busy = deferred();
    const fitting = door.alone("fit", () => busy.promise, true);
    await door.write("setWeights", async () => {});
    busy.resolve();
    await fitting;
    const again = deferred();
    const compiling = door.alone("compile", () => again.promise);
    await expect(door.write("setWeights", async () => {})).rejects.toMatchObject({ code: "state" });
    again.resolve();
    await compiling;
    await door.write("setWeights", async () => {});
  });

  it("lets nobody in once it is closed, and not those who wait", async () => {
    const door = new Door();
    const first = deferred();
    const writing = door.write("setWeights", () => first.promise);
    const waiting = expect(door.write("setWeights", async () => {})).rejects.toThrow(
      "setWeights: the model was disposed.",
    );
    await Promise.resolve();
    door.close();
    first.resolve();
    await writing;
    await waiting;
    await expect(door.alone("fit", async () => {})).rejects.toThrow("fit: the model was disposed.");
    await expect(door.write("fit", async () => {})).rejects.toMatchObject({ code: "state" });
  });
});
