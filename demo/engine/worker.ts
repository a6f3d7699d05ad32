import { expose } from "comlink";
import { createEngine } from "./engine.ts";

expose(createEngine());
// A page hears of its worker's errors, but not of rejections.
addEventListener("unhandledrejection", ({ reason }) => reportError(reason));
