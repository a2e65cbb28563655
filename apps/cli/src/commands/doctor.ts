import { Command } from "commander";
import type { DoctorFlags } from "../doctor/doctor.ts";

export function doctorCommand(): Command {
  return new Command("doctor")
    .summary("what this machine lacks, and what to do")
    .description(
      "Looks at Node, ONNX Runtime, the processor, libraries for a GPU, the endpoint's variables and store, and models: their files, memory and disk. Each line is ok, optional (not there, not needed) or fix. Exits with 1 where something is to be fixed.",
    )
    .argument("[model...]", "model folders (default: TINYGPTV_MODELS, if set)")
    .option("--deep", "read the models' files and compare checksums")
    .option("--json", "print one JSON object a line")
    .action(async (models: string[], flags: DoctorFlags) => {
      const { doctor } = await import("../doctor/doctor.ts");
      await doctor(models, flags);
    });
}
