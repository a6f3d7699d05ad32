import { describe, expect, it } from "vitest";
import { type Progress, progressLine } from "../../src/callbacks/progress.ts";

const BAR = "━━━━━━━━━━━━━━━━━━━━";
const LOGS = { accuracy: 0.8123, loss: 0.6123 };
const SHOWN = " - accuracy: 0.8123 - loss: 0.6123";

function line(done: number, total: number | undefined, seconds: number, rest: Partial<Progress> = {}): string {
  return progressLine({ done, total, elapsedMs: seconds * 1000, logs: LOGS, finished: false, ...rest });
}

/** The text after the bar and the times. */
function metrics(logs: Record<string, number>, finished = false): string {
  return line(5, 10, 5, { logs, finished }).replace(` 5/10 ${BAR} 5s 1s/step`, "");
}

// Wanted texts are what keras.utils.Progbar of Keras 3.15.1 wrote for the same counts, clock and logs.
describe("progressLine", () => {
  it("writes Keras's line within an epoch", () => {
    expect(line(12, 469, 2.25)).toBe(` 12/469 ${BAR} 1:25 188ms/step${SHOWN}`);
    expect(line(1, 469, 0.75)).toBe(`  1/469 ${BAR} 5:51 750ms/step${SHOWN}`);
    expect(line(10, 469, 20)).toBe(` 10/469 ${BAR} 15:18 2s/step${SHOWN}`);
    expect(line(0, 469, 0.5, { logs: {} })).toBe(`  0/469 ${BAR} 0s 0s/step`);
  });

  it("writes the time spent at the end", () => {
    const finished = true;
    expect(line(469, 469, 25, { finished })).toBe(`469/469 ${BAR} 25s 53ms/step${SHOWN}`);
    expect(line(100, 100, 131, { finished })).toBe(`100/100 ${BAR} 131s 1s/step${SHOWN}`);
    expect(line(938, 938, 0.5, { finished })).toBe(`938/938 ${BAR} 0s 533us/step${SHOWN}`);
    expect(line(938, 938, 1.5, { finished })).toBe(`938/938 ${BAR} 2s 2ms/step${SHOWN}`);
    expect(line(938, 938, 2.5, { finished })).toBe(`938/938 ${BAR} 2s 3ms/step${SHOWN}`);
  });

  it("writes the time left as Ns, m:ss and h:mm:ss", () => {
    const logs = {};
    expect(line(60, 120, 60, { logs })).toBe(` 60/120 ${BAR} 60s 1s/step`);
    expect(line(60, 121, 60, { logs })).toBe(` 60/121 ${BAR} 1:01 1s/step`);
    expect(line(1, 3601, 1, { logs })).toBe(`   1/3601 ${BAR} 60:00 1s/step`);
    expect(line(1, 3602, 1, { logs })).toBe(`   1/3602 ${BAR} 1:00:01 1s/step`);
    expect(line(1, 1000, 10, { logs })).toBe(`   1/1000 ${BAR} 2:46:30 10s/step`);
  });

  it("writes microseconds below a millisecond", () => {
    expect(line(3, 9, 0.0015, { logs: {} })).toBe(`3/9 ${BAR} 0s 500us/step`);
    expect(line(1, 10, 0.0009995, { logs: {} })).toBe(` 1/10 ${BAR} 0s 1000us/step`);
  });

  it("leaves the first step out of the estimate where its time is given", () => {
    expect(line(12, 469, 2.25, { firstStepMs: 500 })).toBe(` 12/469 ${BAR} 1:12 159ms/step${SHOWN}`);
    expect(line(1, 469, 2.25, { firstStepMs: 500 })).toBe(`  1/469 ${BAR} 17:33 2s/step${SHOWN}`);
    expect(line(469, 469, 25, { firstStepMs: 3000, finished: true })).toBe(`469/469 ${BAR} 25s 47ms/step${SHOWN}`);
  });

  it("writes no bar where the total is unknown", () => {
    expect(line(7, undefined, 3.5)).toBe(`      7/Unknown 4s 500ms/step${SHOWN}`);
    expect(line(7, 0, 3.5)).toBe(`      7/Unknown 4s 500ms/step${SHOWN}`);
  });

  it("writes four decimals, and an exponent at 0.001 and below", () => {
    expect(metrics({ loss: 12.34567 })).toBe(" - loss: 12.3457");
    expect(metrics({ loss: 0.00100001 })).toBe(" - loss: 0.0010");
    expect(metrics({ loss: 0.001 })).toBe(" - loss: 1.0000e-03");
    expect(metrics({ loss: 1.5e-7 })).toBe(" - loss: 1.5000e-07");
    expect(metrics({ loss: 1e-100 })).toBe(" - loss: 1.0000e-100");
    expect(metrics({ loss: 0 })).toBe(" - loss: 0.0000e+00");
    expect(metrics({ loss: 123456789.5 })).toBe(" - loss: 123456789.5000");
    expect(metrics({ loss: Number.POSITIVE_INFINITY })).toBe(" - loss: inf");
    expect(metrics({ loss: Number.NEGATIVE_INFINITY })).toBe(" - loss: -inf");
  });

  it("rounds exact ties to even, as Python does", () => {
    expect(metrics({ a: 29 / 32, b: 27 / 32, c: 1 / 32, d: -27 / 32 })).toBe(
      " - a: 0.9062 - b: 0.8438 - c: 0.0312 - d: -0.8438",
    );
  });

  it("sorts by name, with validation last", () => {
    const logs = { val_loss: 2, zeta: 3, loss: 1, val_accuracy: 4, accuracy: 5 };
    expect(metrics(logs).match(/\w+(?=:)/g)).toEqual(["accuracy", "loss", "zeta", "val_accuracy", "val_loss"]);
  });

  it("omits what has not been read yet, and shows a NaN result at the end", () => {
    expect(metrics({ accuracy: 0.5, loss: Number.NaN })).toBe(" - accuracy: 0.5000");
    expect(metrics({ accuracy: Number.NaN, loss: Number.NaN })).toBe("");
    expect(metrics({ accuracy: 0.5, loss: Number.NaN }, true)).toBe(" - accuracy: 0.5000 - loss: nan");
  });

  it("colours as Keras does, and only when asked", () => {
    expect(line(12, 469, 2.25, { color: true })).toBe(
      `\x1b[1m 12/469\x1b[0m \x1b[37m${BAR}\x1b[0m \x1b[1m1:25\x1b[0m 188ms/step${SHOWN}`,
    );
    expect(line(469, 469, 25, { color: true, finished: true })).toBe(
      `\x1b[1m469/469\x1b[0m \x1b[32m${BAR}\x1b[0m\x1b[37m\x1b[0m \x1b[1m25s\x1b[0m 53ms/step${SHOWN}`,
    );
    const half = line(5, 10, 5, { color: true });
    expect(half).toContain("\x1b[32m━━━━━━━━━━\x1b[0m\x1b[37m━━━━━━━━━━\x1b[0m");
    expect(line(12, 469, 2.25)).not.toContain("\x1b");
  });

  it("cuts an unfinished line to the terminal's width", () => {
    const whole = line(12, 469, 2.25);
    expect(line(12, 469, 2.25, { columns: whole.length })).toBe(whole);
    expect(line(12, 469, 2.25, { columns: 50 })).toBe(`${whole.slice(0, 49)}…`);
    expect(line(12, 469, 2.25, { columns: 10, color: true })).toBe("\x1b[1m 12/469\x1b[0m \x1b[37m━\x1b[0m…");
    expect(line(12, 469, 2.25, { columns: 1 })).toBe("…");
    expect(line(12, 469, 2.25, { columns: 0 })).toBe("");
    expect(line(469, 469, 25, { columns: 50, finished: true })).toMatch(/loss: 0\.6123$/);
  });

  it("stays whole where more steps are done than announced", () => {
    expect(line(12, 10, 12, { logs: {} })).toBe(`12/10 ${BAR} 0s 1s/step`);
  });
});
