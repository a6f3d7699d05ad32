// Ours for the article's network alone, as an app has it: a bundler leaves out the pooling that it does not use. The peers'
// poolings are one object's methods, or arguments of one function, so that their pages are the same with one or with both.

import { maxPooling2d } from "../../src/index.ts";
import { setupWith } from "./featuremap.ts";
import type { Setup } from "./system.ts";

export const setup: Setup = (data) => setupWith(data, { max: maxPooling2d });
