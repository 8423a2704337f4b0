/** What test_training.py does in a page. */
import { randomBert } from "/assets/bert/initial.js";
import { seededDraws } from "/assets/bert/masking.js";
import { loadModel } from "/assets/bert/model.js";
import { useSimd } from "/assets/bert/products.js";
import { train } from "/assets/bert/training.js";

const CONFIG = {
  hidden_act: "gelu",
  hidden_size: 32,
  intermediate_size: 64,
  layer_norm_eps: 1e-12,
  max_position_embeddings: 12,
  num_attention_heads: 2,
  num_hidden_layers: 2,
  vocab_size: 40,
};

const examples = Array.from({ length: 24 }, (_, n) => {
  const ids = [2, 5 + (n % 4), 10 + (n % 7), 20 + (n % 5), 3];
  return { ids, segments: ids.map(() => 0), label: n % 2 };
});

const model = () => randomBert(CONFIG, "classify", 2, seededDraws(0), 0.1);

/** @param {number} steps */
const task = (steps) => ({
  head: "classify",
  options: { learningRate: 3e-3, steps },
  examples,
  heldOut: examples,
  every: 10,
});

/**
 * The losses of a run, its last measurement, and all weights that came back, added up.
 * @param {number} steps
 */
export async function run(steps) {
  /** @type {import("../../../docs/assets/bert/course.js").Progress[]} */
  const told = [];
  const { bert, taken } = await train(model(), task(steps), {
    onProgress: (progress) => told.push(progress),
  });
  const sums = [...bert.tensors.values()].map(({ data }) => data.reduce((a, b) => a + b, 0));
  const { ids, segments, label } = examples[1];
  const [no, yes] = bert.classify(bert.encode(ids, segments));
  return {
    losses: told.map(({ loss }) => loss),
    measured: told.filter(({ heldOut }) => heldOut).map(({ step }) => step),
    right: told.at(-1)?.heldOut?.right,
    sums,
    taken,
    guess: Number(yes > no) === label,
  };
}

/** How many steps a run takes that is stopped after its third. */
export async function stopped() {
  const controller = new AbortController();
  const { taken } = await train(model(), task(100_000), {
    onProgress: ({ step }) => step === 3 && controller.abort(),
    signal: controller.signal,
  });
  return taken;
}

/** What a reader is told where no run starts, or where it breaks off. */
export async function said(/** @type {number} */ steps) {
  try {
    await run(steps);
    return "it ran";
  } catch (error) {
    return error instanceof Error ? error.message : `${error}!!`;
  }
}

/** What is said of a text whose class is none. */
export async function saidOfLabel() {
  const wrong = { ...task(5), examples: [{ ...examples[0], label: 7 }] };
  return train(model(), wrong).then(String, ({ message }) => message);
}

/** Whether WebAssembly runs here, and the scores of a text. */
export async function scores() {
  const { bert } = await loadModel("pretrained");
  const ids = Array.from({ length: 32 }, (_, n) => 5 + 7 * n);
  const hidden = bert.encode(ids, new Array(32).fill(0));
  return [await useSimd(), [...bert.maskedLM(hidden, [1, 20])].map((row) => [...row])];
}
