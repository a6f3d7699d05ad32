import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { fileStore } from "../../src/tune/file-store.ts";
import { indexedDbStore } from "../../src/tune/indexed-db.ts";
import { VERSION } from "../../src/tune/tuning-cache.ts";

const folder = mkdtempSync(join(tmpdir(), "featuremap-tuning-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tile = { blocksM: 2, blocksN: 4, workgroupM: 4, workgroupN: 1, slices: 1, quad: true };
const algorithm = { algorithm: "winograd8" };

describe("fileStore", () => {
  it("keeps choices from one to the next, as JSON that a reader can follow", async () => {
    const path = join(folder, "kept.json");
    const store = fileStore(path);
    expect(await store.get("a")).toBeUndefined();
    await Promise.all([store.set("a", [tile]), store.set("b", [algorithm, algorithm])]);
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ a: [tile], b: [algorithm, algorithm] });
    const next = fileStore(path);
    expect(await next.get("a")).toEqual([tile]);
    await next.set("c", [algorithm]);
    expect(Object.keys(JSON.parse(readFileSync(path, "utf8")))).toEqual(["a", "b", "c"]);
  });

  it.each([
    ["not JSON", "{", "is no JSON. Delete it."],
    ["a list", "[]", "holds no JSON object of choices. Delete it."],
  ])("says so where the file is %s, and leaves it", async (name, text, message) => {
    const path = join(folder, `${name}.json`);
    writeFileSync(path, text);
    const store = fileStore(path);
    const wanted = { code: "data", message: `fileStore: ${path} ${message}` };
    await expect(store.get("a")).rejects.toMatchObject(wanted);
    await expect(store.set("a", [tile])).rejects.toMatchObject(wanted);
    expect(readFileSync(path, "utf8")).toBe(text);
  });

  it("takes the path or URL of a file, and nothing that only says that it is one", () => {
    for (const path of ["", 5, null, { __proto__: null, [Symbol.toStringTag]: "URL" }])
      expect(() => fileStore(path as never)).toThrow(/^fileStore: path must be the path or URL of a file, got /);
  });

  it("says so where there is no such folder", async () => {
    const path = join(folder, "nowhere", "kept.json");
    const store = fileStore(path);
    expect(await store.get("a")).toBeUndefined();
    await expect(store.set("a", [tile])).rejects.toMatchObject({
      code: "data",
      message: expect.stringMatching(/cannot be written: ENOENT/),
    });
  });
});

describe("in a browser", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("fileStore says which store to take", async () => {
    vi.stubGlobal("process", undefined);
    const error = await fileStore("kernels.json")
      .get("a")
      .catch((error: unknown) => error);
    vi.unstubAllGlobals();
    expect(error).toMatchObject({
      code: "data",
      message: "fileStore needs Node, Deno or Bun. Use indexedDbStore in a browser.",
    });
  });
});

it("indexedDbStore says so where there is no IndexedDB, each time", async () => {
  const store = indexedDbStore("digits");
  for (const call of [store.get("a"), store.get("a"), store.set("a", [tile])])
    await expect(call).rejects.toMatchObject({
      code: "data",
      message: expect.stringMatching(
        /^The IndexedDB database "digits" cannot be (read|written): indexedDB is not defined/,
      ),
    });
});

it("What is stored is of this version", () => {
  expect(VERSION).toBe(packageJson.version);
});
