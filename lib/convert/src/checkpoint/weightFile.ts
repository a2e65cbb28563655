import type { ByteSource } from "./byteSource.ts";
import { readSafetensors } from "./safetensors.ts";
import { readTorch } from "./torch.ts";
import { readLegacyTorch } from "./torchLegacy.ts";
import { damaged } from "./untrusted.ts";
import type { WeightSource } from "./weightSource.ts";

/** A format we do not read. */
interface Signature {
  readonly matches: (head: Buffer) => boolean;
  /** What the file is, and what to do about it. */
  readonly problem: string;
}

// torch/serialization.py: MAGIC_NUMBER 0x1950a86a20f9469cfc6c, as the pickle has it.
const legacyMagic = Buffer.from("6cfc9c46f9206aa85019", "hex");

const refused: readonly Signature[] = [
  {
    // Any version reads them, but only with weights_only off, which runs what is in the file.
    matches: (head) => head.toString("latin1", 257, 262) === "ustar",
    problem:
      'is a tar file, as the first versions of torch.save wrote; if you trust it, save it again: torch.save(torch.load(PATH, map_location="cpu"), PATH)',
  },
  {
    matches: (head) => head[0] === 0x80 && head[1]! <= 5,
    problem:
      "is a bare pickle, which holds no tensors of torch.save; save what it was made of with torch.save(model.state_dict(), PATH)",
  },
  {
    matches: (head) => head.toString("latin1").startsWith("version https://git-lfs"),
    problem: "is a Git LFS pointer and not the file itself; fetch it with: git lfs pull",
  },
  {
    matches: (head) => /^\s*<(!doctype|html)/i.test(head.toString("latin1")),
    problem: "is a web page, probably of a download that failed; download it again",
  },
];

/**
 * The tensors of an open file. Its format is told by its first bytes, whatever
 * it is called; one that is not read here is a `checkpoint` error. Closing it
 * closes `source`.
 */
export async function readWeights(source: ByteSource): Promise<WeightSource> {
  const head = Buffer.from(await source.read(0, Math.min(source.size, 512)));
  if (head.toString("latin1", 0, 2) === "PK") return readTorch(source);
  // The brace that opens its header. Asked before the rest: a header's length can look like a pickle.
  if (head[8] === 0x7b) return readSafetensors(source);
  if (head[0] === 0x80 && head.includes(legacyMagic)) return readLegacyTorch(source);
  const known = refused.find(({ matches }) => matches(head));
  if (known) throw damaged(source.name, known.problem);
  const start =
    head.length === 0 ? "an empty file" : `one that begins with 0x${head.toString("hex", 0, 8)}`;
  throw damaged(source.name, `want a file of torch.save or a safetensors file, got ${start}`);
}
