/**
 * What stage 3 asks of every picture: the file `prompts/alignment.txt` of MiniGPT-4
 * (d94738a), which the reference's stage-3 settings name.
 */
export const alignmentInstructions: readonly string[] = [
  "Describe this image in detail.",
  "Take a look at this image and describe what you notice.",
  "Please provide a detailed description of the picture.",
  "Could you describe the contents of this image for me?",
];
