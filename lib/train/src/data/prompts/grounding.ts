/**
 * Instructions to describe with boxes, as the reference's Flickr30k set draws them
 * (TinyGPT-V 83f6189: minigpt4/datasets/datasets/flickr.py).
 */
export const groundingInstructions: readonly string[] = [
  "[grounding] please describe this image in details",
  "[grounding] describe this image as detailed as possible",
  "[grounding] summarize this image in details",
  "[grounding] give a thorough description of what you see in this image",
];
