// What an invocation works on of a tensor's last axis: four channels side by side. See channels_1.wgsl.
alias Channels = vec4f;
const CHANNELS: u32 = 4u;
