// The address says which network the page shows: in its hash, beside the section, and without a step of history.

import { effect } from "@preact/signals";
import { ARTICLE, type NetworkSpec } from "../network.ts";
import { architecture } from "./architecture.ts";
import { decodeNetwork, encodeNetwork, readHash, writeHash } from "./link.ts";
import { notify, withdraw } from "./notices.ts";

/** Browsers allow some hundred changes in half a minute. */
const PAUSE_MS = 400;

const ARTICLES_TEXT = encodeNetwork(ARTICLE);

/** The address that restores a network. */
export function linkTo(network: NetworkSpec): string {
  const { origin, pathname, search } = location;
  return origin + pathname + search + writeHash({ network: encodeNetwork(network) });
}

/** The network of the address; where it has none that can be read, nothing, and the reader is told why. */
export function networkOfAddress(): NetworkSpec | undefined {
  const text = readHash(location.hash).network;
  if (text === undefined) return undefined;
  try {
    const network = decodeNetwork(text);
    withdraw("link");
    return network;
  } catch (error) {
    notify({
      topic: "link",
      kind: "problem",
      about: "page",
      title: "The link's network cannot be read, so the one below is not it.",
      text: `${(error as Error).message} Ask for the link again, or go on with the network as it is.`,
    });
    return undefined;
  }
}

/**
 * Keeps the address at the page's network, and calls `onLink` with the network of a link that is followed while the page
 * is open. Going back in history goes to a section, never to an older network.
 */
export function followAddress(onLink: (network: NetworkSpec) => void): void {
  mark(location.href);

  let pause: ReturnType<typeof setTimeout> | undefined;
  let first = true;
  effect(() => {
    architecture.value;
    if (first) first = false;
    else {
      clearTimeout(pause);
      pause = setTimeout(write, PAUSE_MS);
    }
  });
  addEventListener("hashchange", () => {
    const followed = !isMarked() && networkOfAddress();
    if (followed) onLink(followed);
    write();
  });
}

/** To the section that the address names, unless the reader has gone somewhere already. */
export function goToSection(): void {
  const { section } = readHash(location.hash);
  if (section && scrollY === 0) document.getElementById(section)?.scrollIntoView();
}

function write(): void {
  const text = encodeNetwork(architecture.peek());
  const { section } = readHash(location.hash);
  mark(location.pathname + location.search + writeHash({ section, network: text === ARTICLES_TEXT ? "" : text }));
}

/** Entries of history whose address the page wrote. Others are links that somebody followed. */
const isMarked = (): boolean => (history.state as { network?: boolean } | null)?.network === true;

const mark = (address: string): void => history.replaceState({ network: true }, "", address);
