/** What the two halves of the Blob server share. */
import type { IncomingMessage, ServerResponse } from "node:http";

export const storeId = "testStore";

export interface Blob {
  bytes: Buffer;
  etag: string;
  contentType: string;
  uploadedAt: Date;
  access: string;
}

/** What a test does to one request. */
export interface Fault {
  /** Answer with this status, and an API error of this code, instead. */
  status?: number;
  code?: string;
  /** Close the socket after so many bytes of the answer's body. */
  dropAfter?: number;
  /** Flip the bits of this byte of the answer's body. */
  corruptAt?: number;
  /** Answer the whole body where a range was asked for. */
  ignoreRange?: boolean;
}

export interface BlobServer {
  readonly token: string;
  readonly blobs: Map<string, Blob>;
  /** Every request in order: `put KEY`, `head KEY`, `list PREFIX`, `delete KEY`, `create KEY`, `part KEY N`, `complete KEY`, `get KEY [RANGE]`. */
  readonly requests: string[];
  /** Decides by a line of `requests` what goes wrong with it. */
  fault: (request: string) => Fault | undefined;
  close(): Promise<void>;
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => Promise<void>;
