/** A Dockerfile as its instructions, by stage. */
import { DockerfileParser, From } from "dockerfile-ast";

export interface Instruction {
  /** In capitals. */
  keyword: string;
  /** What follows it, flags included, lines joined. */
  text: string;
}

export interface Stage {
  name: string;
  /** An image, or the name of a stage before. */
  from: string;
  instructions: Instruction[];
}

export function stagesOf(dockerfile: string): Stage[] {
  const stages: Stage[] = [];
  for (const instruction of DockerfileParser.parse(dockerfile).getInstructions()) {
    if (instruction instanceof From) {
      const name = instruction.getBuildStage() ?? String(stages.length);
      stages.push({ name, from: instruction.getImage() ?? "", instructions: [] });
      continue;
    }
    const keyword = instruction.getKeyword();
    const text = instruction
      .getTextContent()
      .slice(keyword.length)
      .replaceAll(/\\\n\s*/g, "");
    stages.at(-1)?.instructions.push({ keyword, text: text.trim() });
  }
  return stages;
}

/** `A=1 B=2` of an ENV instruction. */
export function variablesOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(/\s+/).map((pair) => {
      const [name = "", value = ""] = pair.split("=");
      return [name, value];
    }),
  );
}
