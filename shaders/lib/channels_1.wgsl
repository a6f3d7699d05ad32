// An invocation works on one channel of a tensor's last axis. Four times as many invocations hold a quarter as much in
// registers, which GPUs want; processors want four channels a load (channels_4.wgsl).
// provides: Channels, CHANNELS
alias Channels = f32;
const CHANNELS: u32 = 1u;
