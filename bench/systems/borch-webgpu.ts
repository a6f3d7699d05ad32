export { setup } from "./borch.ts";
