// An invocation works on four channels of a tensor's last axis, side by side. See channels_1.wgsl.
// provides: Channels, CHANNELS
alias Channels = vec4f;
const CHANNELS: u32 = 4u;
