import { setupJax } from "./jax-js.ts";
import type { Setup } from "./system.ts";

export const setup: Setup = (data) => setupJax("webgpu", data);
