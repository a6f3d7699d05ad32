// `expect` out of the package that vitest takes it from, put together as vitest does: see `createExpect` in vitest's test chunk.

import {
  ASYMMETRIC_MATCHERS_OBJECT,
  ChaiStyleAssertions,
  chai,
  customMatchers,
  type ExpectStatic,
  GLOBAL_EXPECT,
  getState,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from "@vitest/expect";
import { getCurrentTest } from "@vitest/runner";

/** Globals by which the parts of `@vitest/expect` find each other. */
const shared = globalThis as unknown as Record<symbol, object>;

for (const plugin of [JestExtend, JestChaiExpect, ChaiStyleAssertions, JestAsymmetricMatchers]) chai.use(plugin);

/** Vitest's own, without what no test here uses: `soft`, `poll`, `assertions`, `hasAssertions` and snapshots are not there. */
export const expect = createExpect();

function createExpect(): ExpectStatic {
  const made = ((value: unknown, message?: string) => {
    const { assertionCalls } = getState(made);
    setState({ assertionCalls: assertionCalls + 1 }, made);
    const assertion = chai.expect(value, message) as unknown as { withTest(test: object): unknown };
    const test = getCurrentTest();
    // Promises of `resolves` and `rejects` belong to the test: it waits for them.
    return test ? assertion.withTest(test) : assertion;
  }) as unknown as ExpectStatic;
  Object.assign(made, chai.expect, shared[ASYMMETRIC_MATCHERS_OBJECT]);
  made.getState = () => getState(made);
  made.setState = (state) => setState(state, made);
  made.extend = (matchers) =>
    (chai.expect as unknown as { extend(to: object, them: object): void }).extend(made, matchers);
  setState({ assertionCalls: 0 }, made);
  made.extend(customMatchers);
  Object.defineProperty(globalThis, GLOBAL_EXPECT, { value: made, writable: true, configurable: true });
  return made;
}

/** Forgets the last test's state. */
export function expectFor(testName: string): void {
  setState({ assertionCalls: 0, currentTestName: testName }, expect);
}
