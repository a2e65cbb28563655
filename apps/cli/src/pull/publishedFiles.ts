/** What has been published, and where: the places the reference's own instructions and code name. */
import { basename } from "node:path";
import { currentContent } from "@tinygptv/convert";
import type { Stage } from "./stages.ts";

export interface PublishedFile {
  /** Path in the folder that is made, and below a mirror's base URL. */
  path: string;
  url: string;
  /** Exact size and checksum in hex, where they are known. */
  bytes?: number;
  sha256?: string;
  /** Whether a conversion can do without it. */
  optional?: boolean;
  licence: string;
}

const lavis = "https://storage.googleapis.com/sfr-vision-language-research/LAVIS/models/BLIP2";
const tinyGptV = "https://huggingface.co/Tyrannosaurus/TinyGPT-V/resolve/main";
// The reference's README links to the folder of its demo: fused query_key_value, as it was trained.
const phi = "https://huggingface.co/spaces/llizhx/TinyGPT-V/resolve/main/phi-2";

const phiLicence = "Phi-2, Microsoft: MIT licence";
const phiFile = (name: string, more: Partial<PublishedFile> = {}): PublishedFile => ({
  path: `phi-2/${name}`,
  url: `${phi}/${name}`,
  licence: phiLicence,
  ...more,
});

const commonFiles: readonly PublishedFile[] = [
  phiFile("config.json"),
  phiFile("generation_config.json", { optional: true }),
  phiFile("tokenizer.json", { optional: true }),
  phiFile("tokenizer_config.json"),
  phiFile("special_tokens_map.json", { optional: true }),
  phiFile("added_tokens.json", { optional: true }),
  phiFile("vocab.json"),
  phiFile("merges.txt"),
  {
    path: "eva_vit_g.pth",
    url: `${lavis}/eva_vit_g.pth`,
    licence: "EVA, BAAI: MIT licence; published with LAVIS, Salesforce: BSD 3-Clause licence",
  },
  {
    path: "blip2_pretrained_flant5xxl.pth",
    url: `${lavis}/blip2_pretrained_flant5xxl.pth`,
    licence: "BLIP-2 in LAVIS, Salesforce: BSD 3-Clause licence",
  },
];

const phiWeights = phiFile("pytorch_model.bin");

/** All files a conversion of a stage needs, small ones first: what is wrong shows early. */
export function publishedFiles(stage: Stage): PublishedFile[] {
  const path = `TinyGPT-V_for_Stage${stage}.pth`;
  const stageFile = {
    path,
    url: `${tinyGptV}/${path}`,
    licence: "TinyGPT-V, its authors: BSD 3-Clause licence",
  };
  return [...commonFiles, stageFile, phiWeights].map((file) => {
    const { bytes, sha256 } = currentContent(basename(file.path)) ?? {};
    return { ...file, ...(bytes && { bytes }), ...(sha256 && { sha256 }) };
  });
}

/** The same files at a mirror, laid out there as they are here. It may hold other versions, of other sizes. */
export function atMirror(files: readonly PublishedFile[], baseUrl: string): PublishedFile[] {
  const base = baseUrl.replace(/\/*$/, "/");
  return files.map(({ path, licence, optional = false }) => ({
    path,
    url: new URL(path, base).href,
    optional,
    licence,
  }));
}
