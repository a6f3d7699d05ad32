// What a sweep measures: 0 where it begins. The kernel `advance` adds to it.
struct Metrics {
  // The loss's sum over the samples so far is two floats: a single one loses digits once it is large beside a batch's.
  loss_high: f32,
  loss_low: f32,
  hits: u32, // samples whose class was predicted
  samples: u32,
  steps: u32,
  bad_step: u32, // the first step, counted from 1, whose loss is a NaN or infinite; 0 where there is none
}
