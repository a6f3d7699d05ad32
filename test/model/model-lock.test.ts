import { describe, expect, it } from "vitest";
import { ModelLock } from "../../src/model/model-lock.ts";

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

describe("the lock of a model", () => {
  it("lets one call at a time have the model, which begins before it returns, and names who has it", async () => {
    const lock = new ModelLock();
    const fit = deferred();
    let begun = false;
    const fitting = lock.exclusive("fit", () => {
      begun = true;
      return fit.promise;
    });
    expect(begun).toBe(true);
    await expect(lock.exclusive("compile", async () => {})).rejects.toMatchObject({
      code: "state",
      message: "compile: the model is busy with fit. Await it first.",
    });
    expect(() => lock.assertIdle("model.add")).toThrow(/model.add: the model is busy with fit/);
    fit.resolve();
    await fitting;
    lock.assertIdle("model.add");
  });

  it("is free again after a call that failed", async () => {
    const lock = new ModelLock();
    await expect(lock.exclusive("fit", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await lock.exclusive("fit", async () => 3)).toBe(3);
  });

  it("takes writes in the order of the calls, also after one that failed, and tells when they are done", async () => {
    const lock = new ModelLock();
    const [first, second] = [deferred(), deferred()];
    const seen: number[] = [];
    const writes = [
      lock.write("setWeights", async () => {
        await first.promise;
        seen.push(1);
      }),
      lock.write("setWeights", async () => {
        seen.push(2);
        await second.promise;
      }),
      lock.write("setWeights", async () => void seen.push(3)),
    ];
    const written = lock.written.then(() => seen.push(4));
    expect(() => lock.assertIdle("model.add")).toThrow(/busy with a write of its parameters/);
    first.resolve();
    await writes[0];
    second.reject(new Error("refused"));
    await expect(writes[1]).rejects.toThrow("refused");
    await writes[2];
    await written;
    expect(seen).toEqual([1, 2, 3, 4]);
    lock.assertIdle("model.add");
  });

  it("lets writes in while a training runs, and during nothing else", async () => {
    const lock = new ModelLock();
    const busy = deferred();
    const fitting = lock.exclusive("fit", () => busy.promise, true);
    await lock.write("setWeights", async () => {});
    busy.resolve();
    await fitting;
    const again = deferred();
    const compiling = lock.exclusive("compile", () => again.promise);
    await expect(lock.write("setWeights", async () => {})).rejects.toMatchObject({ code: "state" });
    again.resolve();
    await compiling;
    await lock.write("setWeights", async () => {});
  });

  it("lets nobody in once it is closed, and not those who wait", async () => {
    const lock = new ModelLock();
    const first = deferred();
    const writing = lock.write("setWeights", () => first.promise);
    const waiting = expect(lock.write("setWeights", async () => {})).rejects.toThrow(
      "setWeights: the model was disposed.",
    );
    await Promise.resolve();
    lock.dispose();
    first.resolve();
    await writing;
    await waiting;
    await expect(lock.exclusive("fit", async () => {})).rejects.toThrow("fit: the model was disposed.");
    await expect(lock.write("fit", async () => {})).rejects.toMatchObject({ code: "state" });
  });
});
