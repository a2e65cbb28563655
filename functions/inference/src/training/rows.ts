/** Rows of a request, into files that training reads. */
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FineTuningRequest } from "@tinygptv/protocol/http";
import { HttpError } from "../errors.ts";
import type { Asker, PictureLoader } from "../images/loadPictures.ts";
import { pictureType } from "../images/pictureType.ts";
import { startLifetime } from "../lifetime.ts";
import { places } from "./job.ts";

/** Fields of a row that name a picture. */
const single = ["image", "file_name"] as const;
const several = ["images", "pictures"] as const;
const sets = ["training_data", "validation_data", "replay_data"] as const;

/** Where pictures come from, and how long one may take and how much all may weigh. */
export interface RowPictures {
  readonly load: PictureLoader;
  readonly asker: Asker;
  readonly maxBytes: number;
  readonly ms: number;
}

/**
 * Writes the rows of a request into a job's folder, with the pictures they name.
 * @throws HttpError for a picture that cannot be had, naming its row
 */
export async function writeRows(
  request: FineTuningRequest,
  folder: string,
  pictures: RowPictures,
): Promise<void> {
  const { pictures: pictureFolder, rows: rowsFile } = places(folder);
  await mkdir(pictureFolder, { recursive: true });
  const keep = pictureKeeper(pictureFolder, pictures);
  for (const name of sets) {
    const lines: string[] = [];
    for (const [i, row] of (request[name] ?? []).entries()) {
      const written: Record<string, unknown> = { ...row };
      const at = `${name}[${i}]`;
      for (const field of single) {
        const value = row[field];
        if (typeof value === "string") written[field] = await keep(value, `${at}.${field}`);
      }
      for (const field of several) {
        const value = row[field];
        if (!Array.isArray(value)) continue;
        const names: unknown[] = [];
        for (const [j, one] of (value as unknown[]).entries())
          names.push(typeof one === "string" ? await keep(one, `${at}.${field}[${j}]`) : one);
        written[field] = names;
      }
      lines.push(`${JSON.stringify(written)}\n`);
    }
    if (lines.length > 0) await writeFile(rowsFile(name), lines.join(""));
  }
}

/** Loads one picture at a time, so that a job of a thousand holds no more memory than a question. */
function pictureKeeper(folder: string, { load, asker, maxBytes, ms }: RowPictures) {
  const known = new Map<string, string>();
  let total = 0;
  return async (url: string, param: string): Promise<string> => {
    const key = createHash("sha256").update(url).digest("hex");
    const before = known.get(key);
    if (before !== undefined) return before;
    const life = startLifetime(() => asker.life.signal, ms);
    try {
      const [bytes] = await load([{ url, param }], { ...asker, life });
      total += bytes!.length;
      if (total > maxBytes)
        throw new HttpError(
          "image_too_large",
          `${param}: want at most ${maxBytes} bytes of pictures in one training, got ${total} with this one`,
          { param },
        );
      const hash = createHash("sha256").update(bytes!).digest("hex");
      const name = `${hash}.${pictureType(bytes!, param).slice("image/".length)}`;
      await writeFile(join(folder, name), bytes!);
      known.set(key, name);
      return name;
    } finally {
      life.end();
    }
  };
}
