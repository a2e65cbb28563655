/** The engine in this page: its worker. */
import { hostModels } from "tinygptv/web/worker";
import webgpu from "onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";

hostModels({ wasm, webgpu });
