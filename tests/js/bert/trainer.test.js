import assert from "node:assert/strict";
import { test } from "node:test";
import { Bert } from "../../../docs/assets/bert/bert.js";
import { randomBert, withNewHead } from "../../../docs/assets/bert/initial.js";
import { seededDraws } from "../../../docs/assets/bert/masking.js";
import { Trainer } from "../../../docs/assets/bert/trainer.js";
import { close } from "../close.js";

const CONFIG = {
  hidden_act: "gelu",
  hidden_size: 16,
  intermediate_size: 24,
  layer_norm_eps: 1e-12,
  max_position_embeddings: 8,
  num_attention_heads: 2,
  num_hidden_layers: 2,
  vocab_size: 20,
};
const OPTIONS = { learningRate: 1e-2, steps: 60 };

/** @param {string} head */
const model = (head) => randomBert(CONFIG, head, 3, seededDraws(0), 0.1);

/**
 * Texts whose class is which of three pieces they hold.
 * @param {number} count
 */
const examples = (count) =>
  Array.from({ length: count }, (_, n) => {
    const ids = [1, 4 + (n % 3), ...Array.from({ length: n % 5 }, (_, k) => 8 + ((n + k) % 9)), 2];
    const labels = ids.map((id) => (id < 4 ? -100 : id % 3));
    /** @type {[number, number]} */
    const span = [1, 1];
    return { ids, segments: ids.map(() => 0), label: n % 3, labels, span };
  });

test("every head learns what there is to learn, and the model it began with does not change", () => {
  for (const head of ["classify", "labelTokens", "maskedLM", "spans"]) {
    const bert = model(head);
    const before = [...bert.tensors].map(([name, { data }]) => [name, data.slice()]);
    const trainer = new Trainer(bert, head, OPTIONS);
    const steps = Array.from({ length: 60 }, () => trainer.step(examples(12)));
    assert.ok(steps[59].loss < steps[0].loss / 2, `${head}: ${steps[0].loss} to ${steps[59].loss}`);
    assert.deepEqual(
      [...bert.tensors].map(([name, { data }]) => [name, data]),
      before,
    );
    const { right, count } = trainer.evaluate(examples(12));
    assert.ok(right > 0.9 * count, `${head}: ${right} of ${count}`);
  }
});

test("the trained model runs as it was trained, and later steps do not change it", () => {
  const trainer = new Trainer(model("classify"), "classify", OPTIONS);
  for (let step = 0; step < 50; step++) trainer.step(examples(12));
  const bert = trainer.bert();
  const { ids, segments, label } = examples(2)[1];
  const scores = bert.classify(bert.encode(ids, segments));
  assert.equal(scores.indexOf(Math.max(...scores)), label);
  const [loss] = [trainer.evaluate([examples(2)[1]]).loss];
  const top = Math.max(...scores);
  const sum = scores.reduce((total, score) => total + Math.exp(score - top), 0);
  assert.ok(Math.abs(Math.log(sum) + top - scores[label] - loss) < 1e-5);
  trainer.step(examples(12));
  assert.deepEqual(bert.classify(bert.encode(ids, segments)), scores);
});

test("the same steps give the same bits", () => {
  const [one, other] = [0, 1].map(() => {
    const trainer = new Trainer(model("classify"), "classify", OPTIONS);
    for (let step = 0; step < 5; step++) trainer.step(examples(10));
    return [...trainer.tensors].map(([name, { data }]) => [name, data]);
  });
  assert.deepEqual(one, other);
});

test("memory does not grow from step to step, once the largest batch has come", () => {
  const trainer = new Trainer(model("pretrain"), "pretrain", OPTIONS);
  const pairs = examples(20).map((example, n) => ({ ...example, label: n % 2 }));
  trainer.step(pairs);
  const { bytes } = trainer.network.buffers;
  assert.ok(bytes > 0);
  for (let step = 0; step < 30; step++) trainer.step(pairs.slice(step % 20));
  assert.equal(trainer.network.buffers.bytes, bytes);
});

test("a new head leaves the encoder as it is, and replaces the heads that were there", () => {
  const bert = model("pretrain");
  const tuned = withNewHead(bert, "labelTokens", 4, seededDraws(1));
  const names = [...tuned.tensors.keys()].filter((name) => !name.startsWith("bert."));
  assert.deepEqual(names, ["classifier.weight", "classifier.bias"]);
  assert.equal(tuned.tensors.get("classifier.weight")?.data.length, 4 * 16);
  const layer = "bert.encoder.layer.1.output.dense.weight";
  assert.equal(tuned.tensors.get(layer), bert.tensors.get(layer));
});

test("what cannot be trained is refused", () => {
  const bert = model("classify");
  const [example] = examples(1);
  assert.throws(() => new Trainer(bert, "guess", OPTIONS), /guess is no head; expected one of/);
  assert.throws(
    () => new Trainer(bert, "classify", { ...OPTIONS, warmupSteps: 60 }),
    /60 of 60 steps are warm-up/,
  );
  const trainer = new Trainer(bert, "classify", OPTIONS);
  assert.throws(() => trainer.step([]), /there are no examples/);
  const long = { ids: new Array(9).fill(3), segments: new Array(9).fill(0), label: 0 };
  assert.throws(() => trainer.step([long]), /text 0 has 9 tokens and 9 segments; expected 1 to 8/);
  assert.throws(() => trainer.step([{ ...example, label: 3 }]), /label 3 of 3 classes/);
  assert.throws(() => trainer.step([{ ...example, label: undefined }]), /text 0 has no label;/);
  assert.throws(() => withNewHead(bert, "classify", 1, Math.random), /1 classes; expected 2/);
  assert.throws(() => withNewHead(bert, "pretrain", 2, Math.random), /pretrain is no head of fine/);
  const spans = new Trainer(bert, "spans", OPTIONS);
  assert.throws(() => spans.step([example]), /the model has no qa_outputs.weight/);
});

test("in pretraining, NSP's loss and its gradients count as much as the configuration says", () => {
  const bert = model("pretrain");
  const pairs = examples(6).map((example, n) => ({ ...example, label: n % 2 }));
  /** @type {(head: string, weight?: number) => {loss: number, slope: Float32Array}} */
  const of = (head, weight) => {
    const config = { ...CONFIG, nsp_weight: weight };
    const trainer = new Trainer(new Bert(bert.tensors, config), head, OPTIONS);
    const { loss } = trainer.gradients(pairs);
    return { loss, slope: trainer.network.gradient("bert.encoder.layer.0.output.dense.weight") };
  };
  const [words, next] = [of("maskedLM"), of("nextSentence")];
  for (const weight of [undefined, 0.25, 3]) {
    const both = of("pretrain", weight);
    const share = weight ?? 1;
    close([both.loss], [words.loss + share * next.loss], 1e-5);
    close(
      both.slope,
      [...words.slope].map((slope, k) => slope + share * next.slope[k]),
      1e-6,
    );
  }
});

test("a tenth of the steps is warm-up, and gradients are no longer than 1, unless told otherwise", () => {
  const trainer = new Trainer(model("classify"), "classify", OPTIONS);
  assert.equal(trainer.learningRate, 0);
  for (let step = 0; step < 3; step++) trainer.step(examples(12));
  close([trainer.learningRate], [OPTIONS.learningRate / 2], 1e-12);
  assert.equal(trainer.options.longest, 1);
  const given = { ...OPTIONS, warmupSteps: 0, longest: 5 };
  const other = new Trainer(model("classify"), "classify", given);
  assert.equal(other.learningRate, OPTIONS.learningRate);
  assert.equal(other.options.longest, 5);
});

test("measuring changes neither the weights nor the steps that were taken", () => {
  const trainer = new Trainer(model("classify"), "classify", OPTIONS);
  trainer.step(examples(12));
  const rate = trainer.learningRate;
  const before = trainer.bert();
  const { loss } = trainer.evaluate(examples(12));
  assert.deepEqual(trainer.bert().tensors, before.tensors);
  assert.deepEqual([trainer.taken, trainer.learningRate], [1, rate]);
  assert.equal(trainer.evaluate(examples(12)).loss, loss);
});

test("a text needs as many segments as tokens", () => {
  const trainer = new Trainer(model("classify"), "classify", OPTIONS);
  const [example] = examples(1);
  for (const segments of [[0], [0, 0, 0, 0]]) {
    const message = new RegExp(`text 0 has 3 tokens and ${segments.length} segments; expected 1`);
    assert.throws(() => trainer.step([{ ...example, ids: [1, 4, 2], segments }]), message);
  }
});

test("new weights spread as told; norms begin at 1, biases at 0", () => {
  const { tensors } = randomBert({ ...CONFIG, vocab_size: 2000 }, "spans", 2, seededDraws(2), 0.1);
  /** @param {string} name */
  const data = (name) => [...(tensors.get(name)?.data ?? [])];
  const words = data("bert.embeddings.word_embeddings.weight");
  const mean = words.reduce((sum, number) => sum + number, 0) / words.length;
  const spread = Math.sqrt(words.reduce((sum, number) => sum + number ** 2, 0) / words.length);
  assert.ok(Math.abs(mean) < 0.002, `${mean}`); // of 32,000 draws
  assert.ok(Math.abs(spread - 0.1) < 0.002, `${spread}`);
  assert.ok(words.filter((number) => Math.abs(number) < 0.1).length / words.length < 0.7);
  assert.deepEqual(data("bert.embeddings.LayerNorm.weight"), new Array(16).fill(1));
  assert.deepEqual(data("bert.embeddings.LayerNorm.bias"), new Array(16).fill(0));
  assert.deepEqual(data("qa_outputs.bias"), [0, 0]);
});
