import manifest from "../../package.json" with { type: "json" };
import { about } from "./finding.ts";
import type { Finding } from "./finding.ts";

/** @param version of Node, as `process.versions` has it */
export async function checkNode(version: string = process.versions.node): Promise<Finding[]> {
  const say = about("node");
  const wanted = manifest.engines.node.replace(">=", "");
  const [have, want] = [version, wanted].map((text) => text.split(".").map(Number));
  const isEnough = have![0]! > want![0]! || (have![0] === want![0] && have![1]! >= want![1]!);
  return [isEnough ? say.ok(version) : say.fix(`want ${wanted} or newer, got ${version}`)];
}
