// What stands in for "vitest" where tests run without it (an alias in build.ts): the packages that vitest is made of.

import { fn, isMockFunction, restoreAllMocks, spyOn } from "@vitest/spy";

export { afterAll, afterEach, beforeAll, beforeEach, describe, it, test } from "@vitest/runner";
export { expect } from "./expect.ts";
export const vi = { fn, spyOn, isMockFunction, restoreAllMocks };
