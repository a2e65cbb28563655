/**
 * Instructions to caption, as the reference's TextCaps and COCO caption sets draw them
 * (TinyGPT-V 83f6189: minigpt4/datasets/datasets/text_caps.py, caption_datasets.py). Three
 * end with a space of their own.
 */
export const captionInstructions: readonly string[] = [
  "Briefly describe this image.",
  "Provide a concise depiction of this image.",
  "Present a short description of this image.",
  "Summarize this image in a few words.",
  "A short image caption:",
  "A short image description:",
  "A photo of ",
  "An image that shows ",
  "Write a short description for the image. ",
  "Write a description for the photo.",
  "Provide a description of what is presented in the photo.",
  "Briefly describe the content of the image.",
  "Can you briefly explain what you see in the image?",
  "Could you use a few words to describe what you perceive in the photo?",
  "Please provide a short depiction of the picture.",
  "Using language, provide a short account of the image.",
  "Use a few words to illustrate what is happening in the picture.",
];
