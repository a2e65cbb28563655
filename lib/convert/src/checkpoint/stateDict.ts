/** Which of the values that torch.save wrote are the weights. */
import { TorchTensor } from "./torchNames.ts";
import { damaged, describe, Unread } from "./untrusted.ts";

/** Where savers put the state dict when they save more than it; one may lie in another. */
const containers = ["model", "state_dict", "model_state_dict", "module"];
const maxContainers = 3;

export interface StateDict {
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  /** Entries of another kind, and what they are: an error only where a weight is wanted there. */
  readonly unread: ReadonlyMap<string, string>;
}

/** The state dict of a saved value: itself, or the one in the containers savers use. */
export function findStateDict(file: string, root: unknown): StateDict {
  const dict = search(root, maxContainers);
  if (!dict) throw damaged(file, `want a dictionary of tensors${orUnder}, got ${whatIs(root)}`);
  const tensors = new Map<string, TorchTensor>();
  const unread = new Map<string, string>();
  for (const [name, value] of dict) {
    if (typeof name !== "string")
      throw damaged(file, `state dict: want names as keys, got ${describe(name)}`);
    // A state dict may also hold a module's own extra values; they are no weights.
    if (value instanceof TorchTensor) tensors.set(name, value);
    else unread.set(name, describe(value));
  }
  return { tensors, unread };
}

const orUnder = `, or one under ${containers.join(", ")}`;

function search(value: unknown, depth: number): ReadonlyMap<unknown, unknown> | undefined {
  if (!(value instanceof Map)) return undefined;
  for (const key of depth > 0 ? containers : []) {
    const inner = search(value.get(key), depth - 1);
    if (inner) return inner;
  }
  for (const item of value.values()) if (item instanceof TorchTensor) return value;
  return undefined;
}

function whatIs(root: unknown): string {
  if (root instanceof Map) {
    const other = [...root.values()].find((value) => value instanceof Unread);
    const hint = other ? `, among them ${describe(other)}` : "";
    return `a dictionary with the keys ${describe([...root.keys()])}${hint}`;
  }
  if (root instanceof Unread)
    return `${describe(root)}: save the weights alone, torch.save(model.state_dict(), PATH)`;
  return describe(root);
}
