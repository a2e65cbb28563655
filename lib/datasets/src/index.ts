/**
 * Published data sets as rows of pictures with questions, captions or boxes, and
 * the readers of the formats they come in.
 * @module @tinygptv/datasets
 */
export { datasetNames, readDataset, type DatasetName, type DatasetSource } from "./datasets.ts";
export { openDataFolder, type DataFolder } from "./dataFolder.ts";
export type {
  CaptionRow,
  ChoiceRow,
  LabelRow,
  PhraseRow,
  Picture,
  PixelBox,
  QuestionRow,
  Row,
} from "./row.ts";
export { wrongData } from "./wrongData.ts";
export { checkEntry, entriesOf, readJson, readJsonLines, type Entry } from "./formats/json.ts";
export { readParquet, type ParquetRow } from "./formats/parquet.ts";
export {
  readCocoCaptions,
  readCocoInstances,
  type CocoCaptions,
  type CocoImage,
  type CocoInstance,
} from "./formats/coco.ts";
export { readReferences, type Reference } from "./formats/refer.ts";
export { readVqa, type VqaQuestion } from "./formats/vqa.ts";
export { readKarpathySplit, type SplitCaptions } from "./formats/karpathy.ts";
