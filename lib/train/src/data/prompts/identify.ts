/**
 * Questions for what is in a box (`{}`), as the reference's inverse RefCOCO sets draw them
 * (TinyGPT-V 83f6189: minigpt4/datasets/datasets/coco_dataset.py).
 */
export const identifyInstructions: readonly string[] = [
  "[identify] {}",
  "[identify] what object is in this location {}",
  "[identify] identify the object present at this location {}",
  "[identify] what is it in {}",
  "[identify] describe this object in {}",
  "[identify] this {} is",
  "[identify] the object in {} is",
];
