/** The tokenizer: ids, and the reference's three ways to decode. */
import { loadTokenizer, padBatch } from "tinygptv/parts";
import type { TokenizerGolden } from "./goldenSet.ts";
import type { Report } from "./report.ts";

export async function checkTokenizer(
  { encode, decode, padding, truncation }: TokenizerGolden,
  folder: string,
  report: Report,
): Promise<void> {
  const tokenizer = await loadTokenizer(folder);
  for (const { text, ids } of encode) report.case("encoding", text, tokenizer.encode(text), ids);
  for (const { ids, decoded, decoded_keep_special, decoded_raw } of [...encode, ...decode]) {
    const name = `[${ids.slice(0, 12)}]`;
    const keepSpecial = { keepSpecial: true };
    report.case("decoding, as the reference prints", name, tokenizer.decodeReference(ids), decoded);
    report.case(
      "decoding, special tokens kept",
      name,
      tokenizer.decodeReference(ids, keepSpecial),
      decoded_keep_special,
    );
    report.case("decoding, exact", name, tokenizer.decode(ids, keepSpecial), decoded_raw);
  }
  const pad = (texts: readonly string[], side: "left" | "right", maxLength?: number) => {
    const rows = texts.map((text) => tokenizer.encode(text));
    const options = { side, padId: tokenizer.endOfTextId, ...(maxLength ? { maxLength } : {}) };
    const { inputIds, attentionMask } = padBatch(rows, options);
    return { input_ids: inputIds, attention_mask: attentionMask };
  };
  for (const side of ["left", "right"] as const) {
    if (!padding) continue;
    const { texts, input_ids, attention_mask } = padding[side];
    report.case("padding", side, pad(texts, side), { input_ids, attention_mask });
  }
  if (truncation) {
    const { texts, max_length, input_ids, attention_mask } = truncation;
    report.case("truncation", `${max_length}`, pad(texts, "right", max_length), {
      input_ids,
      attention_mask,
    });
  }
}
