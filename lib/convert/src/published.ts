/**
 * The published files by what is in them: sizes and checksums as the hub shows
 * them, or, where the origin says none, as copies elsewhere agree on them.
 */

export interface PublishedContent {
  /** The file's name where it was published. */
  name: string;
  bytes: number;
  /** Hex. */
  sha256: string;
  /** Set where the file is not the one to use: what it is. */
  not?: string;
}

const stage4 = "TinyGPT-V_for_Stage4.pth";

const publishedContents: readonly PublishedContent[] = [
  {
    name: "TinyGPT-V_for_Stage1.pth",
    bytes: 165_963_356,
    sha256: "15dead9d74257d3b718ef10948b209a0f4a8787047991b15d40ed5c17050e9da",
  },
  {
    name: "TinyGPT-V_for_Stage2.pth",
    bytes: 543_639_991,
    sha256: "a0239c9531f3ccffd3a6a1a1a28cb73be2474398cfc1d6a3ee40290df643a437",
  },
  {
    name: "TinyGPT-V_for_Stage3.pth",
    bytes: 543_640_119,
    sha256: "a7b70bb29a827792ed2f17655ec5bba2f964e7a08fb718edb914004edc2fd5c8",
  },
  // since 2024-01-19
  {
    name: stage4,
    bytes: 543_654_414,
    sha256: "c74973388674f881e57a150de2e69241b5fd9c6b2c52c14536906803abe6d409",
  },
  // with a Q-Former of its own
  {
    name: stage4,
    bytes: 1_805_910_138,
    sha256: "2e6da66676da74a47bce0329ddfedd1f37306c45c0053d6e69376e55c2027d0d",
    not: "the test version of 2023-12-28",
  },
  {
    name: stage4,
    bytes: 23_711_618,
    sha256: "0e1dac684e81b9dbfe1854240f529516711e4cd65e71977acf010a8b78891f61",
    not: "a broken upload, replaced on 2024-01-19",
  },
  // fused query_key_value, in the demo space
  {
    name: "pytorch_model.bin",
    bytes: 5_559_473_539,
    sha256: "039628734f71c2a2dacc551449f65b9351183fb0d950e78d6a870ffaf115ed9f",
  },
  // copies that agree; the origin's own word is missing for this and the next
  {
    name: "blip2_pretrained_flant5xxl.pth",
    bytes: 433_481_467,
    sha256: "4b3839ea6c617f315ead9bf4036bbb0f0cf6bf62695ecfc14968ea626af03a29",
  },
  {
    name: "eva_vit_g.pth",
    bytes: 2_025_249_237,
    sha256: "99d2bb36c6b52c94fe6e2e12373afb27de57ae81378c3d8c53bf0e83b0f4275f",
  },
];

/** The file that is published under a name now. */
export function currentContent(name: string): PublishedContent | undefined {
  return publishedContents.find((content) => content.name === name && content.not === undefined);
}

/** The published file of exactly this size; no two have the same. */
export function contentOfSize(bytes: number): PublishedContent | undefined {
  return publishedContents.find((content) => content.bytes === bytes);
}
