import type { Component, Manifest } from "@tinygptv/model";

/** A model of a converted folder; its graphs may come from different levels. */
export interface ModelFiles {
  readonly folder: string;
  readonly manifest: Manifest;
  /** Paths inside the folder. */
  readonly files: Readonly<Record<Component, string>>;
}
