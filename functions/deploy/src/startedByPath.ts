import { basename, dirname, join } from "node:path";
import type { Plugin } from "rolldown";

/**
 * Programs that are started by their path, as
 * `new URL("./child.ts", import.meta.url)`, are built, too.
 * @param place `beside`: into the folder of all output; `kept`: where they are among the sources
 */
export function startedByPath(place: "beside" | "kept"): Plugin {
  return {
    name: "started-by-path",
    transform(code, id) {
      return code.replaceAll(
        /new URL\("(\.[\w./-]+)\.ts", import\.meta\.url\)/g,
        (_, path: string) => {
          const fileName = place === "beside" ? `${basename(path)}.js` : undefined;
          this.emitFile({ type: "chunk", id: join(dirname(id), `${path}.ts`), fileName });
          return `new URL("${fileName ? `./${fileName}` : `${path}.js`}", import.meta.url)`;
        },
      );
    },
  };
}
