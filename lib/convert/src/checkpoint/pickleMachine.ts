import type { Cursor } from "./cursor.ts";
import { Unread } from "./untrusted.ts";

/** What a pickle may take. */
export interface PickleLimits {
  /** Containers and rebuilt objects. */
  readonly objects: number;
  /** Open containers on the stack, one in another. */
  readonly depth: number;
  /** Values on the stack. */
  readonly stack: number;
  readonly memo: number;
  readonly stringBytes: number;
}

// Far above real checkpoints (a thousand tensors: 7,000 objects), and low enough
// that the worst pickle takes some hundred megabytes and seconds.
const checkpointLimits: PickleLimits = {
  objects: 1 << 20,
  depth: 1 << 8,
  stack: 1 << 20,
  memo: 1 << 20,
  stringBytes: 1 << 20,
};

/** What a pickle may name and use. Everything else it names is `Unread`. */
export interface PickleNames {
  /** By full name, `module.name`. */
  readonly globals: ReadonlyMap<string, PickleGlobal>;
  /** What stands outside the pickle under this id. `error` makes the error to throw. */
  persistent(id: unknown, error: (problem: string) => Error): object;
}

/** A class or function a pickle may name; `call` is what we do instead of running it. */
export interface PickleGlobal {
  readonly name: string;
  readonly call?: (args: readonly unknown[], error: (problem: string) => Error) => object;
}

/** The stack machine that a pickle is a program for. */
export class PickleMachine {
  readonly cursor: Cursor;
  readonly #names: PickleNames;
  readonly #limits: PickleLimits;
  readonly #callees: ReadonlySet<unknown>;
  readonly #memo = new Map<number, unknown>();
  /** Stacks put aside by MARK, the outermost first. */
  readonly #outer: unknown[][] = [];
  #stack: unknown[] = [];
  #objects = 0;

  constructor(cursor: Cursor, names: PickleNames, limits: PickleLimits = checkpointLimits) {
    this.cursor = cursor;
    this.#names = names;
    this.#limits = limits;
    this.#callees = new Set(names.globals.values());
  }

  /** What the program has made: the one value that is left. */
  result(): unknown {
    const result = this.pop();
    if (this.#stack.length > 0 || this.#outer.length > 0)
      throw this.cursor.error("want one value, got more");
    return result;
  }

  push(value: unknown): void {
    if (this.#stack.length >= this.#limits.stack)
      throw this.cursor.error(`want at most ${this.#limits.stack} values on the stack`);
    this.#stack.push(value);
  }

  /** Pushes something that takes memory of its own. */
  pushObject(value: object): void {
    if (++this.#objects > this.#limits.objects)
      throw this.cursor.error(`want at most ${this.#limits.objects} objects`);
    this.push(value);
  }

  pop(): unknown {
    if (this.#stack.length === 0) throw this.cursor.error("the stack is empty");
    return this.#stack.pop();
  }

  top(): unknown {
    if (this.#stack.length === 0) throw this.cursor.error("the stack is empty");
    return this.#stack.at(-1);
  }

  pushMark(): void {
    if (this.#outer.length >= this.#limits.depth)
      throw this.cursor.error(`want at most ${this.#limits.depth} levels of nesting`);
    this.#outer.push(this.#stack);
    this.#stack = [];
  }

  /** Takes the values since the last mark. */
  popMark(): unknown[] {
    const items = this.#stack;
    const outer = this.#outer.pop();
    if (!outer) throw this.cursor.error("no mark on the stack");
    this.#stack = outer;
    return items;
  }

  remember(index: number): void {
    if (this.#memo.size >= this.#limits.memo)
      throw this.cursor.error(`want at most ${this.#limits.memo} remembered values`);
    this.#memo.set(index, this.top());
  }

  rememberNext(): void {
    this.remember(this.#memo.size);
  }

  recall(index: number): void {
    if (!this.#memo.has(index)) throw this.cursor.error(`no remembered value ${index}`);
    this.push(this.#memo.get(index));
  }

  text(length: number): string {
    if (length > this.#limits.stringBytes) {
      throw this.cursor.error(
        `want strings of at most ${this.#limits.stringBytes} bytes, got ${length}`,
      );
    }
    return this.cursor.utf8(length);
  }

  pushGlobal(module: string, name: string): void {
    const fullName = `${module}.${name}`;
    const global = this.#names.globals.get(fullName);
    if (global) this.push(global);
    else this.pushObject(new Unread(fullName));
  }

  /** REDUCE, and the creation of objects, which is a call of their class. */
  call(): void {
    const args = this.pop();
    const callee = this.pop();
    // What is made of something that is not read is not read either.
    if (callee instanceof Unread) {
      this.push(callee);
      return;
    }
    if (!this.#isGlobal(callee) || !callee.call) throw this.cursor.error("want a function to call");
    if (!Array.isArray(args)) throw this.cursor.error(`${callee.name}: want a tuple of arguments`);
    this.pushObject(
      callee.call(args, (problem) => this.cursor.error(`${callee.name}: ${problem}`)),
    );
  }

  pushPersistent(): void {
    const id = this.pop();
    this.pushObject(this.#names.persistent(id, (problem) => this.cursor.error(problem)));
  }

  /** Whether a value is what a name of the table stands for, and not data that looks like it. */
  #isGlobal(value: unknown): value is PickleGlobal {
    return this.#callees.has(value);
  }
}
