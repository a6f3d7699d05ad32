import { createShrinker } from "../../ui/as-pixels.ts";

/**
 * Image files as 28 x 28 grey pixels: the middle square, shrunk. One after the other: photos are large.
 *
 * @throws Error that names the first file that is no image
 */
export async function pixelsOfFiles(files: readonly File[]): Promise<Float32Array[]> {
  const shrink = createShrinker();
  const all: Float32Array[] = [];
  for (const file of files) {
    const picture = await createImageBitmap(file).catch(() => {
      throw new Error(`“${file.name}” is not an image that this browser can read. Use PNG, JPEG or WebP.`);
    });
    all.push(shrink(picture, picture.width, picture.height));
    picture.close();
  }
  return all;
}
