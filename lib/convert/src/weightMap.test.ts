import { describe, expect, it } from "vitest";
import {
  compile,
  ourNames,
  phiLayouts,
  publishedKey,
  sourceTables,
  stageKey,
  stageName,
} from "./weightMap.ts";

describe("compile", () => {
  const ourName = compile(sourceTables.vision);
  it.each([
    ["blocks.38.mlp.fc1.weight", "vision.blocks.38.mlp.fc1.weight"],
    ["pos_embed", "vision.positionEmbedding"],
    ["head.bias", null],
    ["blocks.38.mlp.fc1.scale", undefined],
    ["blocks.x.mlp.fc1.weight", undefined],
    ["blocks.99999.mlp.fc1.weight", undefined],
    ["xpos_embed", undefined],
    ["pos_embed.weight", undefined],
    ["patch_embedXproj.weight", undefined],
  ])("gives %s the name %s", (key, name) => {
    expect(ourName(key)).toBe(name);
  });
});

describe("publishedKey", () => {
  it.each([
    ["mapping.fc2.bias", "llama_proj2.bias"],
    ["vision.norm.weight", "ln_vision.weight"],
    ["qformer.layers.3.mlp.norm.bias", "Qformer.bert.encoder.layer.3.output_query.LayerNorm.bias"],
    ["phi.layers.2.attention.qkv.bias", "model.layers.2.self_attn.query_key_value.bias"],
    ["phi.layers.2.postNorm.weight", "model.layers.2.post_layernorm.weight"],
    ["phi.layers.2.attention.dense.loraB", "model.layers.2.self_attn.dense.lora_B.weight"],
    ["of our own", "of our own"],
  ])("calls %s %s", (name, key) => {
    expect(publishedKey(name, "fused")).toBe(key);
  });

  it("follows the layout of the folder", () => {
    const name = "phi.layers.1.attention.qkv.weight";
    expect(publishedKey(name, "separate")).toBe("model.layers.1.self_attn.q_proj.weight");
    expect(publishedKey(name, "blocks")).toBe("transformer.h.1.mixer.Wqkv.weight");
    expect(publishedKey("phi.head.bias", "blocks")).toBe("lm_head.linear.bias");
  });

  it("is the way back from our name, for every rule of the tables", () => {
    const tables = [sourceTables.vision, sourceTables.qformer];
    for (const [layout, { table }] of Object.entries(phiLayouts))
      for (const { from, to } of [...tables.flat(), ...table]) {
        if (to === undefined) continue;
        const fill = (text: string) => text.replace("{n}", "3").replace("{p}", "bias");
        expect(publishedKey(fill(to), layout as keyof typeof phiLayouts)).toBe(fill(from));
      }
  });
});

describe("stageKey", () => {
  const layer = "model.layers.2.self_attn";
  it.each([
    ["mapping.fc2.bias", "llama_proj2.bias", "llama_proj2.bias"],
    [
      "phi.norm.weight",
      "llama_model.base_model.model.model.final_layernorm.weight",
      "llama_model.model.final_layernorm.weight",
    ],
    [
      "phi.layers.2.attention.qkv.loraB",
      `llama_model.base_model.model.${layer}.query_key_value.lora_B.weight`,
      `llama_model.${layer}.query_key_value.lora_B.weight`,
    ],
    ["qformer.queryTokens", "query_tokens", "query_tokens"],
    ["vision.classToken", "visual_encoder.cls_token", "visual_encoder.cls_token"],
  ])("of %s is %s with LoRA, %s without, and the way back is stageName", (name, lora, plain) => {
    expect(stageKey(name, true)).toBe(lora);
    expect(stageKey(name, false)).toBe(plain);
    expect(stageName(lora)).toBe(name);
    expect(stageName(plain)).toBe(name);
  });

  it("knows what is in no stage file", () => {
    expect(stageKey("of our own", true)).toBeUndefined();
    expect(stageName("t5_proj.weight")).toBeNull();
    expect(stageName("llama_proj3.weight")).toBeUndefined();
  });
});

it("ourNames lists every name of a layer once", () => {
  const names = ourNames(0);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toContain("mapping.fc1.bias");
  expect(names).toContain("qformer.layers.0.crossAttention.key.weight");
});
