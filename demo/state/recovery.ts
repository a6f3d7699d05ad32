// What the page says of a GPU that was lost while it trained, until it is found again and for a little after.

import { notices, notify, withdraw } from "./notices.ts";

const TOPIC = "recovering";
/** Long enough to be read. */
export const SHOWN_MS = 10_000;

let end: ReturnType<typeof setTimeout> | undefined;
let under = false;

export function tellLost(why: string): void {
  clearTimeout(end);
  under = true;
  notify({
    topic: TOPIC,
    kind: "information",
    title: "The GPU was lost. Training goes on.",
    text: `It resumes by itself, on a new device, from the weights of a few seconds ago. The browser says: ${why}`,
  });
}

/** To be called whenever it trains: after a loss, the message says so, then goes. One that was dismissed does not return. */
export function tellRunning(): void {
  if (!under) return;
  under = false;
  if (!notices.peek().some(({ topic }) => topic === TOPIC)) return;
  notify({
    topic: TOPIC,
    kind: "information",
    title: "The GPU is back. Training is running again.",
    text: "It went on from the weights of a few seconds ago.",
  });
  end = setTimeout(() => withdraw(TOPIC), SHOWN_MS);
}

/** Where nobody waits for it any more: it was stopped, or has failed. */
export function forgetLoss(): void {
  clearTimeout(end);
  under = false;
  withdraw(TOPIC);
}
