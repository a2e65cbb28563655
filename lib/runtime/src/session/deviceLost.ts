import { TinyGptvError } from "@tinygptv/protocol";

/** What runs on a device, or comes to, once it has failed. */
export class DeviceLost extends TinyGptvError {
  constructor(cause: unknown) {
    const got = cause instanceof Error ? cause.message : String(cause);
    super("engine", `webgpu: the device failed: ${got}`, { cause });
  }
}
