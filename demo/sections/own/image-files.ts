import { createShrinker } from "../../ui/as-pixels.ts";

/**
 * Image files as 28 x 28 grey pixels: the middle square, shrunk.
 *
 * @throws Error that names the first file that is no image
 */
export function pixelsOfFiles(files: Iterable<File>): Promise<Float32Array[]> {
  const shrink = createShrinker();
  return Promise.all(
    [...files].map(async (file) => {
      const picture = await createImageBitmap(file).catch(() => {
        throw new Error(`“${file.name}” is not an image that this browser can read. Use PNG, JPEG or WebP.`);
      });
      const pixels = shrink(picture, picture.width, picture.height);
      picture.close();
      return pixels;
    }),
  );
}
