export { blobStore, type BlobStoreOptions } from "./blobStore.ts";
export { fileStore } from "./fileStore.ts";
export { memoryStore } from "./memoryStore.ts";
export { openStore } from "./openStore.ts";
export {
  listAll,
  type GetOptions,
  type ListOptions,
  type ListPage,
  type PutOptions,
  type Store,
  type StoredBody,
  type StoredEntry,
  type StoredObject,
} from "./store.ts";
