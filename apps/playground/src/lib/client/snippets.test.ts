import { describe, expect, it } from "vitest";
import { curl, python, typescript, type RequestSource } from "./snippets.ts";

const source: RequestSource = {
  request: {
    rounds: [{ prompt: "what's this?", images: 1 }],
    decoding: {
      numBeams: 3,
      logitBias: { "7": -100 },
      jsonSchema: '{"type":"object","additionalProperties":false}',
    },
  },
  model: "nano:fp32",
  pictures: ["f00"],
  baseUrl: "http://127.0.0.1:8000",
};

describe("the request as code", () => {
  it("names OpenAI's own fields in Python and puts ours into extra_body", () => {
    const lines = python(source).split("\n");
    expect(lines).toContain(
      '    response_format={"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object", "additionalProperties": False}}},',
    );
    expect(lines).toContain('    logit_bias={"7": -100},');
    expect(lines).toContain('    extra_body={"num_beams": 3},');
  });

  it("is the same JSON for curl and TypeScript", () => {
    const shell = curl(source);
    const json = shell
      .slice(shell.indexOf("-d '") + 4, shell.lastIndexOf("'"))
      .replaceAll(String.raw`'\''`, "'");
    const code = typescript(source);
    const body = code.slice(code.indexOf("const body = ") + 13, code.indexOf(";\nconst stream"));
    expect(JSON.parse(json)).toEqual(JSON.parse(body));
    expect(JSON.parse(json)).toMatchObject({ num_beams: 3, messages: [{ role: "user" }] });
  });
});
