// Networks that the reader keeps in this browser.

import { signal } from "@preact/signals";
import { createStore, del, entries, set } from "idb-keyval";
import type { NetworkSpec } from "../../network.ts";
import { architecture } from "../../state/architecture.ts";
import { engine } from "../../state/engine.ts";
import { notifyError, offerUndo, withdraw } from "../../state/notices.ts";

export interface KeptNetwork {
  readonly name: string;
  /** In ms since 1970. */
  readonly saved: number;
  readonly spec: NetworkSpec;
  readonly file: Uint8Array<ArrayBuffer>;
}

export const kept = signal<readonly KeptNetwork[]>([]);
/** What was done last, in words. */
export const done = signal("");

const store = createStore("featuremap-networks", "networks");

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
  const all = (await entries<string, KeptNetwork>(store)).map(([, network]) => network);
  kept.value = all.toSorted((a, b) => b.saved - a.saved);
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
    const before = kept.value.find((network) => network.name === name);
    await set(name, { name, saved: Date.now(), spec, file } satisfies KeptNetwork, store);
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

const putBack = (network: KeptNetwork) =>
  told(`“${network.name}” could not be kept again.`, async () => {
    await set(network.name, network, store);
    await list();
    return `“${network.name}” is back.`;
  });

export const remove = (network: KeptNetwork) => {
  const { name } = network;
  return told(`“${name}” could not be removed.`, async () => {
    await del(name, store);
    await list();
    offerUndo("keep-undo", `“${name}” was removed.`, () => void putBack(network));
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
      const bytes = new Uint8Array(await file.arrayBuffer());
      await show(bytes, architecture.value);
      return `“${file.name}” is open.`;
    },
  );
