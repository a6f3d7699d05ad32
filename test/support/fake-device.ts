/** What a `GPUDevice` is to a test without a GPU: it makes buffers and takes writes. Shaders are where it ends. */

/** Why a call of the fake device's ends, once its arguments are found right. */
export const REACHED = "this is as far as a fake device goes";

/** The limits that every device has. */
export const LEAST: Partial<GPUSupportedLimits> = {
  maxBufferSize: 268435456,
  maxStorageBufferBindingSize: 134217728,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeWorkgroupsPerDimension: 65535,
};

export function fakeDevice(limits: Partial<GPUSupportedLimits> = {}): GPUDevice {
  const encoder = () => ({
    copyBufferToBuffer: () => {},
    clearBuffer: () => {},
    beginComputePass: () => ({ end: () => {} }),
    finish: () => ({}),
  });
  return {
    label: "fake",
    limits: { ...LEAST, ...limits },
    features: new Set(),
    adapterInfo: { description: "fake" },
    lost: new Promise(() => {}),
    queue: { writeBuffer: () => {}, submit: () => {}, onSubmittedWorkDone: () => Promise.resolve(undefined) },
    createBuffer: ({ size, usage }: GPUBufferDescriptor) => ({
      size,
      usage,
      destroy: () => {},
      mapAsync: () => Promise.resolve(undefined),
      getMappedRange: () => new ArrayBuffer(size),
      unmap: () => {},
    }),
    createCommandEncoder: encoder,
    createBindGroupLayout: () => ({}),
    createShaderModule: () => {
      throw new Error(REACHED);
    },
    pushErrorScope: () => {},
    popErrorScope: () => Promise.resolve(null),
    addEventListener: () => {},
    destroy: () => {},
  } as unknown as GPUDevice;
}
