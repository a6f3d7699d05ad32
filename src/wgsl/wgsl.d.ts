declare module "*.wgsl" {
  /** Text of a shader without its comments. `leanShaders` of `cli/lean-shaders.ts` loads it. */
  const source: import("./specialize.ts").Source;
  export default source;
}
