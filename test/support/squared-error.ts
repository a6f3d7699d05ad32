import { defineKernel, defineOp, dispatch, type Loss } from "../../src/index.ts";

/** A loss of an app's own, on labels that are floats of the output's shape: error[r] = sum over c of (y[r,c] - t[r,c])^2. */

const kernel = defineKernel<{ y: "read"; t: "read"; error: "write" }>(/* wgsl */ `
override ROWS: u32;
override SIZE: u32;
@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(0) var<storage, read> t: array<f32>;
@group(0) @binding(0) var<storage, read_write> error: array<f32>;
@compute @workgroup_size(64)
fn squared_error(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= ROWS) { return; }
  var sum = 0.0f;
  for (var i = id.x * SIZE; i < (id.x + 1u) * SIZE; i++) {
    sum += (y[i] - t[i]) * (y[i] - t[i]);
  }
  error[id.x] = sum;
}`);

const gradientKernel = defineKernel<{ y: "read"; t: "read"; derror: "read"; dy: "write" }>(/* wgsl */ `
override ROWS: u32;
override SIZE: u32;
@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(0) var<storage, read> t: array<f32>;
@group(0) @binding(0) var<storage, read> derror: array<f32>;
@group(0) @binding(0) var<storage, read_write> dy: array<f32>;
@compute @workgroup_size(64)
fn squared_error_gradient(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= ROWS * SIZE) { return; }
  dy[id.x] = derror[id.x / SIZE] * 2.0f * (y[id.x] - t[id.x]);
}`);

const sizesOf = ([ROWS, ...sample]: readonly number[]) => ({ ROWS: ROWS!, SIZE: sample.reduce((a, b) => a * b, 1) });

const gradientOp = defineOp({
  name: "squaredErrorGradient",
  inputs: ["y", "t", "derror"],
  outputs: ["dy"],
  infer: ({ y }) => ({ dy: y }),
  lower: ({ inputs, outputs }) => {
    const constants = sizesOf(inputs.y.shape);
    const workgroups = [Math.ceil((constants.ROWS * constants.SIZE) / 64), 1, 1] as const;
    return [dispatch(gradientKernel, { bind: { ...inputs, ...outputs }, constants, workgroups })];
  },
});

const op = defineOp({
  name: "squaredError",
  inputs: ["y", "t"],
  outputs: ["error"],
  infer: ({ y }) => ({ error: { shape: [y.shape[0]!], dtype: "f32" } }),
  gradient: ({ inputs: { y, t }, gradients: { error: derror }, add }) => ({
    y: add(gradientOp, { y, t, derror: derror! }).dy,
  }),
  lower: ({ inputs, outputs }) => {
    const constants = sizesOf(inputs.y.shape);
    const workgroups = [Math.ceil(constants.ROWS / 64), 1, 1] as const;
    return [dispatch(kernel, { bind: { ...inputs, ...outputs }, constants, workgroups })];
  },
});

export function squaredError(): Loss {
  return {
    name: "squaredError",
    labels: (output) => ({ shape: output, dtype: "f32" }),
    check: () => {},
    call: ({ output, labels, add }) => add(op, { y: output, t: labels }).error,
  };
}
