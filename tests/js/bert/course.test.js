import assert from "node:assert/strict";
import { test } from "node:test";
import { runCourse, shuffled } from "../../../docs/assets/bert/course.js";
import { randomBert } from "../../../docs/assets/bert/initial.js";
import { seededDraws } from "../../../docs/assets/bert/masking.js";

const CONFIG = {
  hidden_act: "gelu",
  hidden_size: 8,
  intermediate_size: 8,
  layer_norm_eps: 1e-12,
  max_position_embeddings: 4,
  num_attention_heads: 2,
  num_hidden_layers: 1,
  vocab_size: 9,
};

/** @param {number} learningRate */
function taskWith(learningRate) {
  const { tensors, config } = randomBert(CONFIG, "classify", 2, seededDraws(0), 0.1);
  const examples = Array.from({ length: 10 }, (_, n) => {
    return { ids: [1, 3 + (n % 6), 2], segments: [0, 0, 0], label: n % 2 };
  });
  const options = { learningRate, steps: 12 };
  return { tensors, config, head: "classify", options, examples, heldOut: examples, every: 5 };
}
const never = async () => false;

test("a run tells of each step, and measures every so often and at its end", async () => {
  /** @type {import("../../../docs/assets/bert/course.js").Progress[]} */
  const told = [];
  const trainer = await runCourse(taskWith(1e-2), (progress) => told.push(progress), never);
  assert.equal(trainer.taken, 12);
  assert.deepEqual(
    told.map(({ step }) => step),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  );
  const measured = told.filter(({ heldOut }) => heldOut);
  assert.deepEqual(
    measured.map(({ step }) => step),
    [5, 10, 12],
  );
  assert.equal(measured[0].heldOut?.count, 10);
});

test("a run can be stopped, and keeps what it has learned", async () => {
  let asked = 0;
  const trainer = await runCourse(
    taskWith(1e-2),
    () => {},
    async () => ++asked === 3,
  );
  assert.equal(trainer.taken, 3);
});

test("the same task ends with the same weights, another seed with others", async () => {
  const task = { ...taskWith(1e-2), batchSize: 4 };
  const weights = async (/** @type {number} */ seed) => {
    const { tensors } = await runCourse({ ...task, seed }, () => {}, never);
    return tensors.get("classifier.weight");
  };
  assert.deepEqual(await weights(1), await weights(1));
  assert.notDeepEqual(await weights(1), await weights(2));
});

test("a loss that is no number stops the run in plain words", async () => {
  const run = runCourse(taskWith(1e30), () => {}, never);
  await assert.rejects(run, /The loss is no longer a number after \d+ steps; try a lower/);
});

test("each pass has every example once; batches go over the ends of passes", () => {
  const batches = shuffled([0, 1, 2, 3, 4], 3, seededDraws(0));
  const drawn = Array.from({ length: 5 }, () => batches.next().value).flat();
  for (const pass of [0, 5, 10]) {
    assert.deepEqual(drawn.slice(pass, pass + 5).sort(), [0, 1, 2, 3, 4]);
  }
  assert.throws(() => shuffled([], 3, Math.random).next(), /there are no examples/);
});
