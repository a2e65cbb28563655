import type { Attachment } from "svelte/attachments";

/** Text that grows at its end. What is appended leaves the lines before it laid out; set anew, all of them would be again. */
export const growing =
  (text: string): Attachment =>
  (element) => {
    const node = element.firstChild;
    if (node instanceof Text && text.startsWith(node.data))
      node.appendData(text.slice(node.length));
    else element.textContent = text;
  };
