/** Writes the API reference (`pnpm run api`) of every package with a door. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Converter, DeclarationReflection, ReflectionKind, makeRecursiveVisitor } from "typedoc";

/** @typedef {{ name: string, exports: Record<string, string> }} PackageJson */

const packages = globSync("lib/*/package.json")
  .toSorted()
  .map((path) => {
    const { name, exports } = /** @type {PackageJson} */ (JSON.parse(readFileSync(path, "utf8")));
    return { name, doors: Object.values(exports).map((door) => join(dirname(path), door)) };
  });

/** @type {import("typedoc").TypeDocOptions} */
export default {
  name: "TinyGPT-V",
  entryPoints: packages.flatMap(({ doors }) => doors),
  tsconfig: "tsconfig.api.json",
  // Types are checked by `pnpm run typecheck`.
  skipErrorChecking: true,
  out: "build/api",
  readme: "none",
  plugin: [derivedTypes],
  validation: { notDocumented: true },
  packagesRequiringDocumentation: packages.map(({ name }) => name),
  requiredToBeDocumented: [
    "Function",
    "Class",
    "Method",
    "Accessor",
    "Interface",
    "TypeAlias",
    "Variable",
  ],
  treatWarningsAsErrors: true,
  // Links to sources want a remote repository, which a copy of this one need not have.
  disableSources: true,
};

/**
 * A type that is made from a value (`z.infer<typeof boxSchema>`) is what the
 * value's own words say, unless it has some itself.
 * @param {import("typedoc").Application} app
 */
function derivedTypes(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const alias of project.getReflectionsByKind(ReflectionKind.TypeAlias)) {
      if (!(alias instanceof DeclarationReflection) || alias.comment) continue;
      alias.type?.visit(
        makeRecursiveVisitor({
          query({ queryType }) {
            const { comment } = queryType.reflection ?? {};
            if (comment) alias.comment ??= comment.clone();
          },
        }),
      );
    }
  });
}
