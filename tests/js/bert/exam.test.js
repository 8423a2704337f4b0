import assert from "node:assert/strict";
import { test } from "node:test";
import { Exam } from "../../../docs/assets/bert/exam.js";
import { randomBert } from "../../../docs/assets/bert/initial.js";
import { seededDraws } from "../../../docs/assets/bert/masking.js";
import { Trainer } from "../../../docs/assets/bert/trainer.js";

const CONFIG = {
  hidden_act: "gelu",
  hidden_size: 8,
  intermediate_size: 8,
  layer_norm_eps: 1e-12,
  max_position_embeddings: 12,
  num_attention_heads: 2,
  num_hidden_layers: 1,
  vocab_size: 9,
};
const vocabulary = { maskId: 4, vocabSize: 9, special: 5 };
const row = (/** @type {number[]} */ ...words) => {
  const ids = [2, ...words, 3];
  return { ids, segments: ids.map(() => 0) };
};
const rows = Array.from({ length: 40 }, (_, n) => row(5, 6, 7, 8, 5 + (n % 4), 6, 7, 8));
const tagged = Array.from({ length: 90 }, (_, n) => 5 + (n % 3)).map((id) => ({
  ...row(id, 8),
  tags: [id === 5 ? "I-PER" : "O", "O"],
}));
const exam = new Exam(
  { rows, seed: 3, labelled: tagged, tested: tagged, labels: ["O", "I-PER"] },
  vocabulary,
);

/** @type {(bias: number) => import("../../../docs/assets/bert/network.js").Network} */
function always(id) {
  const bert = randomBert(CONFIG, "maskedLM", 0, seededDraws(0), 0.5);
  const bias = bert.tensors.get("cls.predictions.bias");
  bias?.data.fill(-1e6).fill(1e6, id, id + 1);
  return new Trainer(bert, "maskedLM", { learningRate: 1, steps: 1 }).network;
}

test("every word of the masked rows is asked for, of the others the replaced ones", () => {
  const asked = exam.masked.flatMap(({ asked: own }) => own);
  assert.equal(asked.length, 40 * 8, "not the structural tokens");
  const wrong = exam.wrong.flatMap(({ row: { ids }, truth, asked: own }) =>
    own.map((token) => ids[token] !== truth[token]),
  );
  assert.ok(wrong.length > 20 && wrong.every(Boolean));
});

test("who always says the same is right as often as it is there", () => {
  const [holes, visible, repaired, probe] = exam.scores(always(8));
  const share = (/** @type {boolean} */ masked) => {
    const own = exam.masked.flatMap(({ row: { ids }, truth, asked }) =>
      asked.filter((token) => (ids[token] === 4) === masked).map((token) => truth[token] === 8),
    );
    return own.filter(Boolean).length / own.length;
  };
  assert.equal(holes, share(true));
  assert.equal(visible, share(false));
  assert.ok(repaired > 0 && repaired < 1);
  assert.equal(probe, 1, "words that were labelled are found again");
});
