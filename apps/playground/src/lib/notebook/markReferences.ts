import {
  Decoration,
  MatchDecorator,
  ViewPlugin,
  type DecorationSet,
  type EditorView,
  type ViewUpdate,
} from "@codemirror/view";

const decorator = new MatchDecorator({
  regexp: /\{\{\s*[A-Za-z][\w-]*(?:\.\w+)?\s*\}\}/g,
  decoration: Decoration.mark({ class: "reference" }),
});

/** Marks `{{name}}` in an editor. */
export const markReferences = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = decorator.createDeco(view);
    }
    update(update: ViewUpdate): void {
      this.decorations = decorator.updateDeco(update, this.decorations);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);
