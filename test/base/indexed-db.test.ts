import { afterEach, expect, it, vi } from "vitest";
import { FeaturemapError } from "../../src/base/errors.ts";
import { indexedDbTable } from "../../src/base/indexed-db.ts";

/** A request that succeeds a moment later. */
function request<T>(result: T) {
  const made = { result, onsuccess: () => {} };
  setTimeout(() => made.onsuccess());
  return made;
}

/** As much of IndexedDB as a table asks for: a store of cloned values. */
function fakeIndexedDb() {
  const values = new Map<string, unknown>();
  const objectStore = () => ({
    get: (key: string) => request(values.get(key)),
    put: (value: unknown, key: string) => request(values.set(key, structuredClone(value))),
  });
  const open = vi.fn(() => request({ transaction: () => ({ objectStore }) }));
  return { open };
}

afterEach(() => vi.unstubAllGlobals());

it("a table stores a value as it is when set() is called, whatever becomes of it", async () => {
  vi.stubGlobal("indexedDB", fakeIndexedDb());
  const table = indexedDbTable<{ data: Float32Array }>("digits", "snapshots");
  const value = { data: Float32Array.of(1, 2) };
  const setting = table.set("last", value);
  value.data[0] = 12345;
  await setting;
  expect(await table.get("last")).toEqual({ data: Float32Array.of(1, 2) });
});

it("a table refuses a value that cannot be cloned before it opens anything", async () => {
  const fake = fakeIndexedDb();
  vi.stubGlobal("indexedDB", fake);
  const setting = indexedDbTable<unknown>("digits", "snapshots").set("last", { run: () => {} });
  const error: unknown = await setting.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(FeaturemapError);
  expect(error).toMatchObject({
    code: "data",
    message: expect.stringMatching(/^The IndexedDB database "digits" cannot be written: .*could not be cloned/s),
  });
  expect(fake.open).not.toHaveBeenCalled();
});
