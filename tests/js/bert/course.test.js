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

test("a run may be measured before its first step", async () => {
  /** @type {import("../../../docs/assets/bert/course.js").Progress[]} */
  const told = [];
  await runCourse({ ...taskWith(1e-2), atStart: true }, (progress) => told.push(progress), never);
  const [first, second] = told;
  assert.deepEqual([first.step, first.heldOut?.count, second.step], [0, 10, 1]);
  assert.ok(Math.abs(first.loss - Math.log(2)) < 0.1, "it knows nothing yet");
  const without = await runCourse(taskWith(1e-2), () => {}, never);
  const { tensors } = await runCourse({ ...taskWith(1e-2), atStart: true }, () => {}, never);
  assert.deepEqual(tensors, without.tensors, "measuring changes nothing");
});

test("of whole texts, each counts once, as right if all its labels are", async () => {
  const { tensors } = randomBert(CONFIG, "labelTokens", 2, seededDraws(0), 0.1);
  const examples = [3, 4, 5, 6].map((id) => {
    return { ids: [1, id, 2], segments: [0, 0, 0], labels: [-100, id % 2, 1] };
  });
  const wrong = { ids: [1, 3, 2], segments: [0, 0, 0], labels: [-100, 0, 1] }; // one of two
  const task = { ...taskWith(3e-2), tensors, head: "labelTokens", examples };
  const options = { learningRate: 3e-2, steps: 40 };
  for (const [wholeTexts, right, count] of /** @type {const} */ ([
    [true, 4, 5],
    [false, 9, 10],
  ])) {
    /** @type {import("../../../docs/assets/bert/course.js").Progress | undefined} */
    let last;
    const heldOut = [...examples, wrong];
    await runCourse(
      { ...task, options, heldOut, wholeTexts },
      (progress) => {
        last = progress;
      },
      never,
    );
    assert.deepEqual([last?.heldOut?.right, last?.heldOut?.count], [right, count]);
    assert.ok(Number(last?.heldOut?.loss) > 0);
  }
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

test("each pass has an order of its own, and every order comes equally often", () => {
  const passes = shuffled([0, 1, 2], 3, seededDraws(5));
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (let pass = 0; pass < 6000; pass++) {
    const order = passes.next().value.join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assert.equal(counts.size, 6);
  for (const [order, count] of counts) assert.ok(Math.abs(count - 1000) < 120, `${order} ${count}`);
});
