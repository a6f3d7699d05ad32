// Store of a parameter's gradient. output_UPDATE: `output` is the parameter, which the optimizer's update() steps in place. Otherwise it
// takes the gradient. `output` is renamed to the parameter's name.
// provides: put_output
// needs: Channels, store_output, update, load_output
override output_UPDATE: bool;

fn put_output(i: u32, gradient: Channels, left: u32) {
  if (output_UPDATE) {
    store_output(i, update(load_output(i, left), gradient), left);
  } else {
    store_output(i, gradient, left);
  }
}
