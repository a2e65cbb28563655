/**
 * Forms of a question (`{}`), as the reference's VQA sets draw them (TinyGPT-V 83f6189:
 * coco_vqa_datasets.py, aok_vqa_datasets.py, gqa_datasets.py, ocrvqa_dataset.py in
 * minigpt4/datasets/datasets).
 */
export const vqaInstructions: readonly string[] = [
  "[vqa] {}",
  "[vqa] Based on the image, respond to this question with a short answer: {}",
];
