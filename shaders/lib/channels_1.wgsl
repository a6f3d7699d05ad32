// What an invocation works on of a tensor's last axis: one channel. Four times as many invocations hold a quarter as much in
// registers, which GPUs want; processors want four channels a load (channels_4.wgsl).
alias Channels = f32;
const CHANNELS: u32 = 1u;
