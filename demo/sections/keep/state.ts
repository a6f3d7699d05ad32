// Networks that the reader keeps in this browser.

import { signal } from "@preact/signals";
import { wordsOf } from "../../error-words.ts";
import type { NetworkSpec } from "../../network.ts";
import { architecture } from "../../state/architecture.ts";
import { engine } from "../../state/engine.ts";
import { notifyError, offerUndo, withdraw } from "../../state/notices.ts";
import { createShelf } from "../../state/shelf.ts";
import { type Entry, entryOf, type KeptNetwork } from "./kept.ts";

/** The newest first, then what is damaged. */
export const kept = signal<readonly Entry[]>([]);
/** What was done last, in words. */
export const done = signal("");

const shelf = createShelf("featuremap-networks", "networks");

async function told(failure: string, run: () => Promise<string>): Promise<void> {
  try {
    done.value = await run();
    withdraw("keep");
  } catch (error) {
    done.value = "";
    notifyError("keep", failure, error);
  }
}

async function list(): Promise<void> {
  const time = (entry: Entry) => ("network" in entry ? entry.network.saved : Number.NEGATIVE_INFINITY);
  kept.value = (await shelf.all()).map(entryOf).sort((a, b) => time(b) - time(a) || 0);
}

export const listKept = () =>
  told("The networks that this browser keeps could not be read.", async () => {
    await list();
    return "";
  });

async function save(): Promise<Pick<KeptNetwork, "file" | "spec">> {
  const { file, spec } = await engine.saveNetwork(architecture.value);
  return { file: file as Uint8Array<ArrayBuffer>, spec };
}

export const keepAs = (name: string) =>
  told("The network could not be kept in this browser. Download it instead.", async () => {
    const { file, spec } = await save();
    const before = kept.value.find(({ key }) => key === name);
    await shelf.set(name, { name, saved: Date.now(), spec, file } satisfies KeptNetwork);
    await list();
    if (before) offerUndo("keep-undo", `What was kept as “${name}” before was replaced.`, () => void putBack(before));
    return `Kept as “${name}”.`;
  });

export const open = ({ name, file, spec }: KeptNetwork) =>
  told(`“${name}” could not be opened. The network of before is still here.`, async () => {
    await show(file, spec);
    return `“${name}” is open.`;
  });

/** Whatever trains, ends, once the file was found good: another network takes its place. */
async function show(file: Uint8Array, training: Omit<NetworkSpec, "layers">): Promise<void> {
  architecture.value = await engine.loadNetwork(file, training);
}

/** Damaged or not, as it was. */
const putBack = ({ key, name, value }: Entry) =>
  told(`“${name}” could not be kept again.`, async () => {
    await shelf.set(key, value);
    await list();
    return `“${name}” is back.`;
  });

export const remove = (entry: Entry) => {
  const { key, name } = entry;
  return told(`“${name}” could not be removed.`, async () => {
    await shelf.del(key);
    await list();
    offerUndo("keep-undo", `“${name}” was removed.`, () => void putBack(entry));
    return `“${name}” was removed.`;
  });
};

export const download = () =>
  told("The network could not be written to a file.", async () => {
    const { file } = await save();
    const url = URL.createObjectURL(new Blob([file], { type: "application/octet-stream" }));
    const link = Object.assign(document.createElement("a"), { href: url, download: "featuremap.safetensors" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    return "Downloaded as featuremap.safetensors.";
  });

export const openFile = (file: File) =>
  told(
    `“${file.name}” could not be opened. Choose one that this page wrote; the network of before is still here.`,
    async () => {
      const bytes = await bytesOf(file);
      await show(bytes, architecture.value);
      return `“${file.name}” is open.`;
    },
  );

async function bytesOf(file: File): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    const reason = `The browser could not read it (${wordsOf(error)})`;
    throw new Error(`${reason}. It may be gone, in use or too large: choose it again.`, { cause: error });
  }
}
