/** Entry of the engine process: the real models behind `hostModels`. */
import { listModels, openModel } from "./openModel.ts";
import { hostModels } from "./host.ts";

hostModels({ list: listModels, open: openModel });
