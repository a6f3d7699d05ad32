import { expect, it } from "vitest";
import { lambdaCallback } from "../../src/index.ts";
import { failure } from "../support/building.ts";

it("has the hooks that it was given, whatever is done to the object later", async () => {
  const seen: unknown[] = [];
  const hooks = {
    exactLogs: true,
    onEpochEnd: (epoch: number, { loss }: { readonly loss: number }) => void seen.push(epoch, loss),
  };
  const made = lambdaCallback(hooks);
  expect(Object.keys(made)).toEqual(["exactLogs", "onEpochEnd"]);
  hooks.onEpochEnd = () => void seen.push("changed");
  await made.onEpochEnd?.(3, { loss: 0.5 });
  expect(seen).toEqual([3, 0.5]);
  expect(lambdaCallback()).toEqual({});
});

it.each([
  [{ onEpochEnd: 1 }, "lambdaCallback: onEpochEnd must be a function, got 1"],
  [{ on_epoch_end: () => {} }, "lambdaCallback must have hooks among setModel, setParams, onEpochBegin"],
  [[], "lambdaCallback must be objects with hooks"],
])("refuses %j", (hooks, message) => {
  expect(failure(() => lambdaCallback(hooks as never))).toMatchObject({
    code: "value",
    message: expect.stringContaining(message),
  });
});
