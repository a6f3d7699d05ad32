import type { SavedVariable, Snapshot } from "../../src/index.ts";

/** What a snapshot has of some roles. */
export function savedOf({ variables }: Snapshot, ...roles: readonly SavedVariable["role"][]): SavedVariable[] {
  return variables.filter(({ role }) => roles.includes(role));
}

/** Steps made, as a snapshot's state has them. */
export function stepsOf(taken: Snapshot): number {
  return savedOf(taken, "state")[0]!.data[0]!;
}
