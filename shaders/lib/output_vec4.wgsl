// A tensor that is written, four elements at a time: its innermost size is a multiple of 4.
// `output` is renamed to the tensor's letter.
// provides: output, load_output, store_output
@group(0) @binding(0) var<storage, read_write> output: array<vec4f>;

fn load_output(i: u32, left: u32) -> vec4f {
  return output[i / 4u];
}

// Elements i to i + 3; i is a multiple of 4, so all of them are in the row.
fn store_output(i: u32, value: vec4f, left: u32) {
  output[i / 4u] = value;
}
