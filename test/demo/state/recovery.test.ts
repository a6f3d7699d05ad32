// What the page says of a training: how far the network has come, and of a GPU that was lost.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { trainedWords } from "../../../demo/sections/try/trained.ts";
import { notices, withdraw } from "../../../demo/state/notices.ts";
import { forgetLoss, SHOWN_MS, tellLost, tellRunning } from "../../../demo/state/recovery.ts";

describe("a network that answers", () => {
  it.each([
    [false, 0, undefined, undefined],
    [false, 0.004, undefined, "The network was trained for less than 0.1 epochs."],
    [false, 0.96, 0.5, "The network was trained for 1 epoch, and reads 50.0% of the test images right."],
    [false, 12.34, 0.9512, "The network was trained for 12.3 epochs, and reads 95.1% of the test images right."],
    [true, 0, undefined, "The network was opened as it was kept. How long it trained before is not written there."],
    [
      true,
      2,
      0.9,
      "The network was opened as it was kept, then trained for 2 epochs, and reads 90.0% of the test images right.",
    ],
  ])("opened: %s, after %f epochs, is told of", (opened, epochs, share, words) => {
    expect(trainedWords({ opened, epochs, share })).toBe(words);
  });
});

describe("a GPU that is lost", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    forgetLoss();
    vi.useRealTimers();
  });
  const titles = () => notices.value.map(({ title }) => title);
  const LOST = "The GPU was lost. Training goes on.";
  const BACK = "The GPU is back. Training is running again.";

  it("is told of until it is back, and that for a while", () => {
    tellLost("reset");
    vi.advanceTimersByTime(10 * SHOWN_MS);
    expect(titles()).toEqual([LOST]);
    tellRunning();
    expect(titles()).toEqual([BACK]);
    tellRunning();
    vi.advanceTimersByTime(SHOWN_MS - 1);
    expect(titles()).toEqual([BACK]);
    vi.advanceTimersByTime(1);
    expect(titles()).toEqual([]);
    tellRunning();
    expect(titles()).toEqual([]);
  });

  it("again, soon after, is told of as long as the first time", () => {
    tellLost("reset");
    tellRunning();
    vi.advanceTimersByTime(SHOWN_MS / 2);
    tellLost("reset");
    vi.advanceTimersByTime(SHOWN_MS);
    expect(titles()).toEqual([LOST]);
  });

  it("is not brought up again where its message was dismissed, nor where nobody waits", () => {
    tellLost("reset");
    withdraw("recovering");
    tellRunning();
    expect(titles()).toEqual([]);
    tellLost("reset");
    forgetLoss();
    tellRunning();
    expect(titles()).toEqual([]);
  });
});
