/** Gradients on a device: of every operator, and of the reference's training step. `training.ts MODEL GOLDEN` */
import { readGoldenSet } from "../../lib/evaluate/src/verify/goldenSet.ts";
import { Report } from "../../lib/evaluate/src/verify/report.ts";
import { openSubject } from "../../lib/evaluate/src/verify/subject.ts";
import { checkTraining } from "../../lib/evaluate/src/verify/training.ts";
import { chooseExecution, openOn } from "../../lib/runtime/src/parts.ts";
import { distances } from "../train/centralDifferences.ts";

const [model, golden] = process.argv.slice(2) as [string, string];
const execution = await chooseExecution("webgpu", "float32");
const set = await readGoldenSet(golden);
if (set.kind !== "model" || !set.golden.train) throw new Error(`${golden}: no training`);
const subject = await openSubject(model, "fp32", { execution });
const { numQueryTokens, width } = subject.config.qformer;
const queries = (await set.tensors.get("qformer"))!;
const size = numQueryTokens * width;
const pictures = Array.from({ length: queries.length / size }, (_, i) =>
  queries.subarray(i * size, (i + 1) * size),
);
const report = new Report();
const files = { folder: set.folder, checkpoint: set.golden.checkpoint };
await checkTraining(subject, set.golden.train, files, pictures, set.tensors, report);
await subject.close();
process.stdout.write(
  JSON.stringify({ ...report.finish(), distances: await distances(openOn(execution)) }),
);
