// Where a parameter's gradient goes. UPDATE: `output` is the parameter, stepped in place by the optimizer's update(); else it takes
// the gradient. `output` is renamed to the parameter's name.
override UPDATE: bool;

fn put_output(i: u32, gradient: Channels, left: u32) {
  if (UPDATE) {
    store_output(i, update(load_output(i, left), gradient), left);
  } else {
    store_output(i, gradient, left);
  }
}
