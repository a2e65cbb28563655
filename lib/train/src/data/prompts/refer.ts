/**
 * Questions for the place of a phrase (`{}`), as the reference's RefCOCO and Visual Genome
 * sets draw them (TinyGPT-V 83f6189: minigpt4/datasets/datasets/coco_dataset.py, vg_dataset.py).
 */
export const referInstructions: readonly string[] = [
  "[refer] {}",
  "[refer] give me the location of {}",
  "[refer] where is {} ?",
  "[refer] from this image, tell me the location of {}",
  "[refer] the location of {} is",
  "[refer] could you tell me the location for {} ?",
  "[refer] where can I locate the {} ?",
];
