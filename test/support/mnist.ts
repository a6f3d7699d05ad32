import { fetchIdx, type TensorData, tensor } from "../../src/index.ts";

/** Images of MNIST in file order, as bytes with their scale, and their class numbers. */
export async function mnist(
  part: "train" | "t10k",
  from: number,
  to: number,
): Promise<{ x: TensorData; y: Uint8Array }> {
  const file = (name: string) => fetchIdx(`/mnist/${part}-${name}-ubyte`);
  const [images, labels] = await Promise.all([file("images-idx3"), file("labels-idx1")]);
  const [, height, width] = images.shape as [number, number, number];
  const pixels = (images.data as Uint8Array).slice(from * height * width, to * height * width);
  return {
    x: tensor(pixels, [to - from, height, width, 1], { scale: 1 / 255 }),
    y: (labels.data as Uint8Array).slice(from, to),
  };
}
