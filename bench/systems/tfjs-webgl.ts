import "@tensorflow/tfjs-backend-webgl";
import type { Setup } from "./system.ts";
import { setupTfjs } from "./tfjs.ts";

export const setup: Setup = (data) => setupTfjs("webgl", data);
