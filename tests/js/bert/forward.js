/**
 * Runs each head as test_forward.py asks: `node forward.js FOLDER`, where request.json has the texts
 * and the heads, and HEAD.safetensors the weights. Leaves result.json there.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { Bert } from "../../../docs/assets/bert/bert.js";
import { parseSafetensors } from "../../../docs/assets/bert/safetensors.js";

const folder = process.argv[2];
const { config, heads, texts } = JSON.parse(readFileSync(`${folder}/request.json`, "utf8"));

/** @type {Record<string, (bert: Bert, hidden: Float32Array, length: number) => unknown>} */
const HEADS = {
  maskedLM: (bert, hidden, length) =>
    bert.maskedLM(hidden, [...Array(length).keys()].reverse()).map((row) => [...row]),
  nextSentence: (bert, hidden) => [...bert.nextSentence(hidden)],
  classify: (bert, hidden) => [...bert.classify(hidden)],
  labelTokens: (bert, hidden) => bert.labelTokens(hidden).map((row) => [...row]),
  spans: (bert, hidden) => bert.spans(hidden),
};

/** @type {Record<string, unknown>} */
const made = {};
for (const head of heads) {
  const { buffer } = new Uint8Array(readFileSync(`${folder}/${head}.safetensors`));
  const bert = new Bert(parseSafetensors(buffer).tensors, config);
  made[head] = texts.map((/** @type {{ids: number[], segments: number[]}} */ { ids, segments }) => {
    const { hidden, shares } = bert.lookInside(ids, segments);
    const last = bert.encode(ids, segments);
    return {
      scores: HEADS[head](bert, last, ids.length),
      hidden: hidden.map((vectors) => [...vectors]),
      shares: shares.map((each) => [...each]),
      last: [...last],
      seen: hidden.length, // still as many after the second way through
    };
  });
}
writeFileSync(`${folder}/result.json`, JSON.stringify(made));
