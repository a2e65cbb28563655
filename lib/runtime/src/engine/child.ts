/** Entry of the engine process: the real models behind `hostModels`. */
import { listAdapters, listLevels, openModel } from "./openModel.ts";
import { hostModels, send } from "./host.ts";
import { sharedBytes } from "./memoryPlan.ts";
import { createPrepacker } from "./prepacker.ts";

const prepacker = createPrepacker((news) => void send({ type: "copies", news }));
process.on("exit", prepacker.stop);

hostModels({
  list: listLevels,
  adapters: listAdapters,
  async open(folder, options) {
    const model = await openModel(folder, options);
    prepacker.add(folder, model.info);
    return model;
  },
  sharedBytes,
});
