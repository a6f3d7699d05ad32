// Words of the state buffer, which stays on the GPU and is moved on by the kernel `advance`.
const STATE_STEP: u32 = 0u; // optimizer steps made so far
const STATE_POSITION: u32 = 1u; // place of the batch's first sample in the sweep
const STATE_SAMPLES: u32 = 2u; // samples in the sweep
const STATE_ROWS: u32 = 3u; // rows of the batch in use, at most the plan's; the last batch of a sweep may be short
const STATE_BATCH: u32 = 4u; // rows of a whole batch
