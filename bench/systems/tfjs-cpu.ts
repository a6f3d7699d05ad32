import "@tensorflow/tfjs-backend-cpu";
import type { Setup } from "./system.ts";
import { setupTfjs } from "./tfjs.ts";

export const setup: Setup = (data) => setupTfjs("cpu", data);
