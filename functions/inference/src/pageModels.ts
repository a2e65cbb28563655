import type { IncomingMessage, ServerResponse } from "node:http";
import { readManifest } from "@tinygptv/model/disk";
import { manifestName } from "@tinygptv/model";
import { modelsPath } from "@tinygptv/protocol/http";
import sirv from "sirv";

/** Answers what is read under `modelsPath`. */
export type PageModels = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Models for pages that run them themselves: which there are, by name, and of
 * each folder the files that its manifest lists.
 * @throws TinyGptvError "model" where a folder holds none
 */
export async function pageModels(folders: readonly string[]): Promise<PageModels> {
  const models = new Map<string, { files: Set<string>; serve: ReturnType<typeof sirv> }>();
  for (const folder of folders) {
    const { name, files } = await readManifest(folder);
    models.set(name, {
      files: new Set([manifestName, ...files.map(({ path }) => path)]),
      // Looked for when it is asked for: folders are converted again while a server runs.
      serve: sirv(folder, { dev: true, etag: true }),
    });
  }
  const list = JSON.stringify([...models.keys()]);

  return (request, response) => {
    const [path = ""] = request.url!.slice(modelsPath.length).split("?");
    response.setHeader("cache-control", "no-cache");
    if (path === "index.json") {
      response.writeHead(200, { "content-type": "application/json" }).end(list);
      return;
    }
    const none = () => void response.writeHead(404).end();
    const [name = "", ...rest] = path.split("/").map(decoded);
    const model = models.get(name);
    const file = rest.join("/");
    if (!model?.files.has(file)) return none();
    request.url = `/${path.slice(path.indexOf("/") + 1)}`;
    model.serve(request, response, none);
  };
}

/** Empty where it is no text in a URL's way of writing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
