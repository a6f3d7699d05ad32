// What this browser keeps for the page, damaged in every way, or not to be had at all: told in words, and the page works on.

import type { Page } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adapterFound, type BuiltPage, serveBuiltPage } from "../support/built-page.ts";
import { button, SLOW } from "../support/page-parts.ts";

let built: BuiltPage;
beforeAll(async () => {
  built = await serveBuiltPage();
});
afterAll(() => built?.close());

const OWN = { database: "keyval-store", table: "keyval", key: "featuremap own data" };
const NETWORKS = { database: "featuremap-networks", table: "networks" };

/** Puts values into a database of the page's, which are written as code, under keys that are. */
function put(page: Page, { database, table }: { database: string; table: string }, entries: [string, string][]) {
  const list = entries.map(([key, value]) => `[${key}, ${value}]`).join(", ");
  return page.evaluate(`new Promise((resolve, reject) => {
    const open = indexedDB.open("${database}");
    open.onupgradeneeded = () => open.result.createObjectStore("${table}");
    open.onerror = () => reject(open.error);
    open.onsuccess = () => {
      const image = (value) => new Float32Array(784).fill(value);
      const writing = open.result.transaction("${table}", "readwrite");
      for (const [key, value] of [${list}]) writing.objectStore("${table}").put(value, key);
      writing.oncomplete = () => { open.result.close(); resolve(); };
      writing.onerror = () => reject(writing.error);
    };
  })`);
}

function stored(page: Page, key: string): Promise<unknown> {
  return page.evaluate(
    ({ database, table, key }) =>
      new Promise((resolve) => {
        const open = indexedDB.open(database);
        open.onsuccess = () => {
          const reading = open.result.transaction(table).objectStore(table).get(key);
          reading.onsuccess = () => {
            open.result.close();
            resolve(JSON.stringify(reading.result));
          };
        };
      }),
    { ...OWN, key },
  );
}

const notice = (page: Page, topic: string) => page.locator(`[data-topic="${topic}"]`);
const cards = (page: Page) => page.locator("#own .class-card");
/** A message says what was wrong in the page's words, and what to do. */
const IN_WORDS =
  /Add what is missing anew|Reload the page|Allow it in the browser's settings|Remove networks|reload it\./;

/** A section that keeps things still does what it is asked. */
async function worksOn(page: Page): Promise<void> {
  const before = await cards(page).count();
  const [name, change] = before < 10 ? ["Add a class", 1] : ["Remove class cross", -1];
  await page.locator("#own").getByRole("button", { name, exact: true }).last().click();
  await expect.poll(() => cards(page).count()).toBe(before + change);
}

const CROSS = `{ name: "cross", images: [image(0.5)] }`;
const DAMAGED: readonly (readonly [kept: string, words: RegExp])[] = [
  ["null", /all of it/],
  ["7", /all of it/],
  ["'text'", /all of it/],
  ["NaN", /all of it/],
  ["new Date(NaN)", /all of it/],
  ["[1, 2]", /all of it/],
  ["new Map([['classes', []]])", /all of it/],
  ["new Blob(['x'])", /all of it/],
  ["{ classes: null }", /all of it/],
  ["{ classes: { length: 2 } }", /all of it/],
  ["{ version: 2, groups: [] }", /all of it/],
  ["{ classes: [] }", /all but 0 of the classes/],
  ["{ classes: new Array(3) }", /the name of class 1, the images of “class 1”, .*class 3/],
  ["{ classes: [null, 5] }", /the name of class 2/],
  [`{ classes: [${CROSS}] }`, /all but 1 of the classes/],
  [`{ classes: [${CROSS}, { name: 5, images: [] }] }`, /the name of class 2/],
  [`{ classes: [${CROSS}, { name: "", images: "none" }] }`, /the images of “class 2”/],
  [`{ classes: [${CROSS}, { name: "a", images: [image(NaN), image(2), image(1)] }] }`, /2 images of “a”/],
  [`{ classes: [${CROSS}, { name: "a", images: [image(1).slice(1), new Uint8Array(784)] }] }`, /2 images of “a”/],
  [`{ classes: Array(40).fill(${CROSS}) }`, /30 classes too many/],
  [`{ classes: [${CROSS}, { name: "a", images: Array(5000).fill(image(1)) }] }`, /4800 images of “a”/],
  [`{ classes: [${CROSS}, ${CROSS}], trained: { names: "ab", file: new Uint8Array(9) } }`, /the network that learned/],
  [`{ classes: [${CROSS}, ${CROSS}], trained: { names: ["a", "b"], file: new ArrayBuffer(9) } }`, /the network that/],
  [`{ classes: [${CROSS}, ${CROSS}], trained: 5 }`, /the network that learned/],
];

describe("a reader's own data", () => {
  it("that is damaged is told of, its sound part is there, and nothing is thrown away", async () => {
    const { page, problems, close } = await built.open({ reducedMotion: "reduce" });
    await adapterFound(page); // Its own entries were read by then.
    for (const [kept, words] of DAMAGED) {
      await put(page, OWN, [[`"${OWN.key}"`, kept]]);
      await page.reload();
      await notice(page, "own-kept").waitFor(SLOW);
      const said = await notice(page, "own-kept").innerText();
      expect(said, kept).toMatch(words);
      expect(said, kept).toMatch(IN_WORDS);
      expect(await stored(page, `${OWN.key}, damaged`), kept).not.toBe(undefined);
      await worksOn(page);
      // It is told once: what is kept now is sound.
      await page.reload();
      await cards(page).first().waitFor();
      await page.waitForTimeout(300);
      expect(await notice(page, "own-kept").count(), kept).toBe(0);
      expect(await cards(page).count()).toBeGreaterThanOrEqual(2);
    }
    expect(problems).toEqual([]);
    await close();
  });

  it("keeps what is sound beside what is damaged, and forgets all of it when asked", async () => {
    const { page, problems, close } = await built.open({ reducedMotion: "reduce" });
    await adapterFound(page);
    const classes = `[${CROSS}, { name: "a", images: [image(1), null, image(0)] }]`;
    await put(page, OWN, [[`"${OWN.key}"`, `{ classes: ${classes} }`]]);
    await page.reload();
    await notice(page, "own-kept").waitFor(SLOW);
    expect(await page.locator("#own .class-count").allInnerTexts()).toEqual(["1 image", "2 images"]);
    await button(page.locator("#own"), "Forget all").click();
    await expect.poll(() => stored(page, `${OWN.key}, damaged`)).toBe(undefined);
    expect(problems).toEqual([]);
    await close();
  });

  it("with a network of other classes says so, and one that fits is taken", async () => {
    const { page, problems, close } = await built.open({ at: "?hooks&layers=small", reducedMotion: "reduce" });
    await adapterFound(page);
    const digits = `Array.from({ length: 10 }, (_, i) => "digit " + i)`;
    for (const [names, file, words] of [
      [`["a", "b"]`, "file", /could not be opened\. Train it again\..*gives \[10\], but there are 2 classes/s],
      [digits, "file.map((byte, i) => (i === file.length - 9 ? byte ^ 1 : byte))", /could not be opened.*damaged/s],
      [digits, "file.slice(0, 100)", /could not be opened\. Train it again\./],
      [digits, "file", undefined],
    ] as const) {
      const written =
        "(await engine.saveNetwork({ layers: [{ kind: 'flatten' }, " +
        "{ kind: 'dense', units: 10, activation: 'softmax' }], optimizer: { name: 'sgd', learningRate: 1 }, batchSize: 8 })).file";
      await page.evaluate(`(async () => { globalThis.file = ${written}; })()`);
      const kept = `{ classes: [${CROSS}, ${CROSS}], trained: { names: ${names}, file: ${file} } }`;
      await put(page, OWN, [[`"${OWN.key}"`, kept]]);
      await page.reload();
      await adapterFound(page);
      if (words) {
        await notice(page, "own").waitFor(SLOW);
        expect(await notice(page, "own").innerText()).toMatch(words);
      } else await page.locator("[data-own=trained]").waitFor(SLOW);
    }
    expect(problems).toEqual([]);
    await close();
  });
});

describe("networks that are kept", () => {
  it("are listed with what is damaged in them, opened where they are sound, and removed and put back as they were", async () => {
    const { page, problems, close } = await built.open({ at: "?hooks&layers=small", reducedMotion: "reduce" });
    await adapterFound(page);
    await page.getByLabel("Name", { exact: true }).fill("sound");
    await button(page, "Keep in this browser").click();
    await page.locator("#keep .kept li").waitFor(SLOW);
    const spec = `{ layers: [{ kind: "flatten" }, { kind: "dense", units: 10, activation: "softmax" }], optimizer: { name: "sgd", learningRate: 0.1 }, batchSize: 8 }`;
    const entry = (name: string, changes: string) =>
      [`"${name}"`, `{ name: "${name}", saved: 1e12, spec: ${spec}, file: new Uint8Array(9), ${changes} }`] as [
        string,
        string,
      ];
    const damaged: [string, string][] = [
      ["1", "null"],
      ["new Date(0)", "'text'"],
      ["[1, 'a']", "{}"],
      ["''", "{}"],
      ["'__proto__'", "NaN"],
      ["'constructor'", "undefined"],
      entry("another name", "name: 5"),
      entry("a date that is none", "saved: new Date(NaN)"),
      entry("a date that is too late", "saved: 1e300"),
      entry("no weights", "file: undefined"),
      entry("weights of another type", "file: new Float32Array(9)"),
      entry("empty weights", "file: new Uint8Array(0)"),
      entry("no description", "spec: null"),
      entry("layers that are none", "spec: { ...{}, layers: {} }"),
      entry("a layer that is none", "spec: { layers: [null] }"),
      entry("a batch that is none", `spec: { ...${spec}, batchSize: NaN }`),
      entry("an optimizer that is none", `spec: { ...${spec}, optimizer: { name: "toString", learningRate: 1 } }`),
      entry("big numbers", `spec: { ...${spec}, batchSize: 10n }`),
    ];
    await put(page, NETWORKS, [...damaged, entry("weights that are damaged", "file: new Uint8Array(99)")]);
    await page.reload();
    await adapterFound(page);
    const items = page.locator("#keep .kept li");
    await expect.poll(() => items.count(), SLOW).toBe(damaged.length + 2);
    const said = await items.allInnerTexts();
    const told = said.filter((text) => / is damaged\. .*\. Remove it\./.test(text));
    expect(told).toHaveLength(damaged.length);
    expect(said.filter((text) => text.includes("Open"))).toHaveLength(2);

    await button(page, "Open weights that are damaged").click();
    await notice(page, "keep").waitFor(SLOW);
    expect(await notice(page, "keep").innerText()).toMatch(
      /could not be opened\. The network of before is still here\./,
    );
    await button(page, "Open sound").click();
    await expect.poll(() => page.locator("#keep-done").innerText(), SLOW).toBe("“sound” is open.");
    await button(page, "Remove no weights").click();
    await expect.poll(() => items.count()).toBe(damaged.length + 1);
    await button(notice(page, "keep-undo"), "Undo").click();
    await expect.poll(() => items.count()).toBe(damaged.length + 2);
    expect(problems).toEqual([]);
    await close();
  });
});

/** What browsers do to pages that may not store, or cannot. */
const STORES: readonly (readonly [name: string, code: string, words: RegExp])[] = [
  ["is missing", `delete globalThis.indexedDB; delete Window.prototype.indexedDB`, /gives the page no storage/],
  ["is null", `Object.defineProperty(globalThis, "indexedDB", { value: null })`, /gives the page no storage/],
  [
    "is forbidden to touch",
    `Object.defineProperty(globalThis, "indexedDB", { get() { throw new DOMException("Denied.", "SecurityError"); } })`,
    /gives the page no storage/,
  ],
  [
    "is forbidden to open",
    `IDBFactory.prototype.open = () => { throw new DOMException("Denied.", "SecurityError"); }`,
    /gives the page no storage/,
  ],
  [
    "does not open",
    `IDBFactory.prototype.open = () => {
      const request = { error: new DOMException("Internal error.", "UnknownError") };
      setTimeout(() => request.onerror());
      return request;
    }`,
    /storage failed \(UnknownError: Internal error\.\)\. Reload the page/,
  ],
  ["never answers", `IDBFactory.prototype.open = () => ({})`, /has not answered for 10 seconds/],
  [
    "has another page's tables",
    `const { open } = IDBFactory.prototype;
    IDBFactory.prototype.open = function (name) { return open.call(this, name + " of another"); };
    IDBDatabase.prototype.createObjectStore = () => {};`,
    /storage failed \(NotFoundError: .*\. Reload the page/,
  ],
  [
    "is closing",
    `IDBDatabase.prototype.transaction = () => { throw new DOMException("It is closing.", "InvalidStateError"); }`,
    /storage failed \(InvalidStateError: It is closing\.\)/,
  ],
];

describe("a browser's storage that", () => {
  it.each(STORES)("%s is told of, and all else works", async (_, code, words) => {
    const prepare = (page: Page) => page.addInitScript(code);
    const { page, problems, close } = await built.open({ prepare, reducedMotion: "reduce" });
    await adapterFound(page);
    for (const topic of ["own-kept", "keep"]) {
      await notice(page, topic).waitFor(SLOW);
      expect(await notice(page, topic).innerText(), topic).toMatch(words);
      expect(await notice(page, topic).innerText(), topic).toMatch(IN_WORDS);
    }
    await worksOn(page);
    expect(problems).toEqual([]);
    await close();
  });

  it("is full is told of when something is to be kept, and keeps what it has", async () => {
    const prepare = (page: Page) =>
      page.addInitScript(() => {
        const { put } = IDBObjectStore.prototype;
        IDBObjectStore.prototype.put = function (...entry) {
          if ((globalThis as { full?: boolean }).full) throw new DOMException("No room.", "QuotaExceededError");
          return put.apply(this, entry);
        };
      });
    const { page, problems, close } = await built.open({ prepare, at: "?layers=small", reducedMotion: "reduce" });
    await adapterFound(page);
    await worksOn(page);
    await expect.poll(() => stored(page, OWN.key)).toContain("class 3");
    await page.evaluate(() => Object.assign(globalThis, { full: true }));
    await worksOn(page);
    await notice(page, "own-kept").waitFor(SLOW);
    expect(await notice(page, "own-kept").innerText()).toMatch(/no room left for this page\. Remove networks/);
    await button(page, "Keep in this browser").click();
    await notice(page, "keep").waitFor(SLOW);
    expect(await notice(page, "keep").innerText()).toMatch(/Download it instead\..*no room left/s);
    await page.reload();
    await cards(page).nth(2).waitFor();
    expect(problems).toEqual([]);
    await close();
  });

  it("cannot be read at first is not written over", async () => {
    const { page, problems, close } = await built.open({ reducedMotion: "reduce" });
    await adapterFound(page);
    const kept = `{ classes: [${CROSS}, ${CROSS}, ${CROSS}] }`;
    await put(page, OWN, [[`"${OWN.key}"`, kept]]);
    await page.addInitScript(() => {
      if (location.search.includes("broken"))
        IDBObjectStore.prototype.get = () => {
          throw new DOMException("Internal error.", "UnknownError");
        };
    });
    await page.goto(`${built.url}?broken`);
    await notice(page, "own-kept").waitFor(SLOW);
    expect(await notice(page, "own-kept").innerText()).toMatch(/nothing new is kept over it\..*Reload the page/s);
    await worksOn(page);
    await page.goto(built.url);
    await expect.poll(() => cards(page).count(), SLOW).toBe(3);
    expect(problems).toEqual([]);
    await close();
  });
});

describe("an address", () => {
  it("with values that are none is told of, each by its name", async () => {
    const at = `?images=NaN&epochs=1e9&batch=&rate=-1&layers=huge&draw=${"x".repeat(500)}#net=1~%E0%A4%A`;
    const { page, problems, close } = await built.open({ at, reducedMotion: "reduce" });
    for (const name of ["images", "epochs", "batch", "rate", "layers", "draw"]) {
      const said = await notice(page, `preset-${name}`).innerText();
      expect(said).toMatch(new RegExp(`The address says ${name}=.*, which was left out\\.\\s+It must be `));
      expect(said.length).toBeLessThan(200);
    }
    expect(await notice(page, "link").innerText()).toMatch(
      /It has a % that begins no character\. Ask for the link again/,
    );
    await worksOn(page);
    expect(problems).toEqual([]);
    await close();
  });
});
