/**
 * Looks inside as test_why.py asks: `node why.js FOLDER`, where request.json says at what, and
 * model.safetensors has the weights. Leaves result.json there.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { Bert } from "../../../docs/assets/bert/bert.js";
import { parseSafetensors } from "../../../docs/assets/bert/safetensors.js";
import { Tokenizer } from "../../../docs/assets/bert/tokenizer.js";
import {
  attentionFrom,
  coverings,
  differences,
  encode,
  findingsOf,
  layersOf,
  placesOf,
} from "../../../docs/assets/widgets/why/model.js";
import { START } from "../../../docs/assets/widgets/why/state.js";

const folder = process.argv[2];
const { config, vocab, labels, task, texts, question } = JSON.parse(
  readFileSync(`${folder}/request.json`, "utf8"),
);
const { buffer } = new Uint8Array(readFileSync(`${folder}/model.safetensors`));
const bert = new Bert(parseSafetensors(buffer).tensors, config);
const longest = config.max_position_embeddings;
const model = { bert, tokenizer: new Tokenizer(vocab), labels, longest };

const inputs = texts.map((/** @type {string} */ text) => {
  const input = encode(model, { ...START, task, text, question });
  const findings = findingsOf(task, model, input, text);
  return {
    ids: input.ids,
    segments: input.segments,
    findings: findings.map((finding) => ({
      ...finding,
      covered: [...coverings(task, model, input, finding)],
      heads: attentionFrom(model, input, finding.place).map((shares) => [...shares]),
      layers: task === "guess" ? layersOf(model, input, finding.place) : null,
    })),
  };
});
const both = texts.map((/** @type {string} */ text) => {
  const input = encode(model, { ...START, task: "guess", text });
  return { input, place: placesOf(input.tokens)[0] };
});
const compared = task === "guess" ? differences(model, both.slice(0, 2)) : null;
writeFileSync(`${folder}/result.json`, JSON.stringify({ inputs, compared }));
