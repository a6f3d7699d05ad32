// What the page has to tell its reader: wrong turns, each with its remedy.

import { signal } from "@preact/signals";
import { wordsOf } from "../error-words.ts";

export interface Notice {
  /** Notices of the same topic replace each other. */
  readonly topic: string;
  readonly kind: "problem" | "information";
  readonly title: string;
  readonly text: string;
  /** `page`: it stands at the top of the page. Others keep in sight wherever the reader is. Default `here`. */
  readonly about?: "page" | "here";
  /** What can be done about it at once. */
  readonly action?: { readonly label: string; run(): void };
}

export const notices = signal<readonly Notice[]>([]);

export function notify(notice: Notice): void {
  notices.value = [...notices.value.filter(({ topic }) => topic !== notice.topic), notice];
}

export function withdraw(topic: string): void {
  notices.value = notices.value.filter((notice) => notice.topic !== topic);
}

/** Tells of what was thrown away, and takes it back at a press. */
export function offerUndo(topic: string, title: string, undo: () => void): void {
  const run = () => {
    withdraw(topic);
    undo();
  };
  notify({ topic, kind: "information", title, text: "", action: { label: "Undo", run } });
}

/** Tells of an error in its own words: the library's say what, where, got, wanted and the remedy. */
export function notifyError(topic: string, title: string, error: unknown, about: Notice["about"] = "here"): void {
  notify({ topic, kind: "problem", about, title, text: wordsOf(error) });
}

/** What nobody caught is told as well. */
export function watchErrors(): void {
  const unforeseen = (error: unknown) => {
    const text = `${wordsOf(error)} Go on, or reload the page. If it happens again, keep the network first.`;
    notify({ topic: "unforeseen", kind: "problem", title: "Something went wrong that should not.", text });
  };
  addEventListener("error", ({ error, message }) => unforeseen(error ?? message));
  addEventListener("unhandledrejection", ({ reason }) => unforeseen(reason));
}
