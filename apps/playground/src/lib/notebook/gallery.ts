/** Pictures of the nano model's gallery, by the path notebooks name them by. */
const files = import.meta.glob<string>("../../../../../models/nano/gallery/*.png", {
  query: "?url",
  import: "default",
  eager: true,
});

export interface GalleryPicture {
  /** As a picture cell names it, relative to `notebooks/`. */
  file: string;
  label: string;
  url: string;
}

export const gallery: readonly GalleryPicture[] = Object.entries(files).map(([path, url]) => {
  const name = path.replace(/^.*\//, "");
  return {
    file: `../models/nano/gallery/${name}`,
    label: name.replace(".png", "").replace("-3d", ", in another style").replaceAll("-", " "),
    url,
  };
});

export const galleryUrl = (file: string): string | undefined =>
  gallery.find((picture) => picture.file === file)?.url;
