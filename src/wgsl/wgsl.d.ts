declare module "*.wgsl" {
  /** A shader's text, without its comments: `leanShaders` of `cli/lean-shaders.ts` loads it. */
  const source: import("./specialize.ts").Source;
  export default source;
}
