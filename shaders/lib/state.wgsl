// The step's state, which stays on the GPU. The kernel `advance` moves it on.
// provides: StepState
struct StepState {
  step: u32, // optimizer steps made so far
  position: u32, // place of the batch's first sample in the sweep
  samples: u32, // samples in the sweep
  rows: u32, // rows of the batch in use, at most the plan's; the last batch of a sweep may be short
  batch: u32, // rows of a whole batch
}
