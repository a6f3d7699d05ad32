import "@tensorflow/tfjs-backend-webgpu";
import type { Setup } from "./system.ts";
import { setupTfjs } from "./tfjs.ts";

export const setup: Setup = (data) => setupTfjs("webgpu", data);
