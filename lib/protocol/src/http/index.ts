/**
 * The HTTP API as schemas, and the one translation between it and the
 * library's words, both ways: the server documents, validates and answers with
 * them, the playground and other programs ask with them. Needs zod only.
 * @module @tinygptv/protocol/http
 */
export * from "./answers.ts";
export * from "./chat.ts";
export * from "./compare.ts";
export * from "./decoding.ts";
export * from "./error.ts";
export * from "./fineTuning.ts";
export * from "./inspect.ts";
export * from "./messages.ts";
export * from "./openaiFields.ts";
export * from "./pageOrigin.ts";
export * from "./pageHeaders.ts";
export * from "./paths.ts";
export * from "./resources.ts";
export * from "./responses.ts";
export { withoutNulls } from "./withoutNulls.ts";
export {
  toChatResponse,
  toImages,
  toScoreResponse,
  fromScoreResponse,
  type Identity,
} from "./translate/answer.ts";
export {
  createChatStreamReader,
  createChatStreamWriter,
  type SseEvent,
} from "./translate/chatStream.ts";
export { createCompareWriter, type CompareTag } from "./translate/compareStream.ts";
export type { PictureReference } from "./translate/messages.ts";
export { httpName, libraryName, parameterFields } from "./translate/names.ts";
export {
  fromChatRequest,
  fromCompareRequest,
  fromScoreRequest,
  toChatRequest,
  toScoreRequest,
  type ChatPlan,
} from "./translate/request.ts";
export { fromResponseRequest } from "./translate/responseRequest.ts";
export {
  createResponseStreamWriter,
  toResponse,
  type ResponseContext,
} from "./translate/responseStream.ts";
