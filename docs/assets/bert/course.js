/** A whole training run, from the first step to the last, or until it is stopped. */
import { Bert } from "./bert.js";
import { Exam } from "./exam.js";
import { hide, seededDraws } from "./masking.js";
import { Trainer } from "./trainer.js";

/** @typedef {import("./losses.js").Example} Example */
/** @typedef {import("./losses.js").Outcome} Outcome */
/** @typedef {import("./safetensors.js").Tensor} Tensor */

/**
 * Everything that decides a run: the same task gives the same weights, bit for bit.
 * @typedef {object} Task
 * @property {Map<string, Tensor>} tensors To start from, the head's included.
 * @property {import("./bert.js").Config} config
 * @property {string} head One of `losses.js`.
 * @property {import("./trainer.js").Options} options
 * @property {Example[]} examples To learn from.
 * @property {number} [batchSize] Examples for each step; 16, if it is not given.
 * @property {number} [seed] Of their order.
 * @property {Example[]} [heldOut] To measure on.
 * @property {boolean} [wholeTexts] Count a held-out text once, as right if all its labels are.
 * @property {number} [every] So many steps lie between two measurements; also after the last step.
 * @property {boolean} [atStart] Measure before the first step as well, and tell of it as step 0.
 * @property {Masking} [masking] To hide tokens of the examples each time they come: for "maskedLM".
 * @property {import("./exam.js").Questions} [questions] To measure on as well; needs `masking`.
 */

/**
 * @typedef {object} Masking
 * @property {import("./masking.js").Recipe} recipe
 * @property {import("./masking.js").Vocabulary} vocabulary
 * @property {number} seed
 */

/**
 * @typedef {object} Progress
 * @property {number} step Counted from 1.
 * @property {number} loss Of this step's examples, before its update; of all, at step 0, and NaN
 *   there if tokens are hidden.
 * @property {Outcome} [heldOut] After its update, where it was measured.
 * @property {number[]} [scores] From the questions, see `Exam`, where they were asked.
 */

/**
 * @param {Task} task
 * @param {(progress: Progress) => void} tell
 * @param {() => Promise<boolean>} isStopped Is asked after each step, and may take its time.
 * @returns {Promise<Trainer>} As it is after the last step.
 * @throws {Error} If the loss is no longer a number.
 */
export async function runCourse(task, tell, isStopped) {
  const { examples, every = Infinity, batchSize = 16, seed = 0 } = task;
  const measure = measureOf(task);
  const masked = maskingOf(task);
  const { steps } = task.options;
  const trainer = new Trainer(new Bert(task.tensors, task.config), task.head, task.options);
  const batches = shuffled(examples, batchSize, seededDraws(seed));
  if (task.atStart) {
    // masks that are drawn here would change all later ones
    const loss = task.masking ? Number.NaN : trainer.evaluate(examples).loss;
    tell({ step: 0, loss, ...measure(trainer) });
  }
  while (trainer.taken < steps) {
    const { loss } = trainer.step(masked(batches.next().value));
    if (!Number.isFinite(loss)) {
      throw new Error(
        `The loss is no longer a number after ${trainer.taken} steps; try a lower learning rate ` +
          `than ${task.options.learningRate}.`,
      );
    }
    const step = trainer.taken;
    const isMeasured = step % every === 0 || step === steps;
    tell({ step, loss, ...(isMeasured ? measure(trainer) : {}) });
    if (await isStopped()) break;
  }
  return trainer;
}

/**
 * What a task wants to be measured.
 * @param {Task} task
 * @returns {(trainer: Trainer) => Pick<Progress, "heldOut" | "scores">}
 */
function measureOf({ heldOut = [], wholeTexts, questions, masking }) {
  const count = wholeTexts ? countTexts : countLabels;
  const exam = questions && masking ? new Exam(questions, masking.vocabulary) : null;
  return (trainer) => ({
    ...(heldOut.length > 0 && { heldOut: count(trainer, heldOut) }),
    ...(exam && { scores: exam.scores(trainer.network) }),
  });
}

/**
 * What becomes of a batch before the model learns from it.
 * @param {Task} task
 * @returns {(examples: Example[]) => Example[]}
 */
function maskingOf({ masking }) {
  if (!masking) return (examples) => examples;
  const { recipe, vocabulary, seed } = masking;
  const draw = seededDraws(seed);
  return (examples) => examples.map((example) => hide(example, recipe, draw, vocabulary));
}

/** @type {(trainer: Trainer, heldOut: Example[]) => Outcome} */
const countLabels = (trainer, heldOut) => trainer.evaluate(heldOut);

/** @type {(trainer: Trainer, heldOut: Example[]) => Outcome} */
function countTexts(trainer, heldOut) {
  const each = heldOut.map((example) => trainer.evaluate([example]));
  const loss = each.reduce((sum, outcome) => sum + outcome.loss, 0) / each.length;
  return { loss, right: each.filter((o) => o.right === o.count).length, count: each.length };
}

/**
 * Batches without end: all examples in a new order in each pass, passes joined end to end.
 * @template Item
 * @param {Item[]} items
 * @param {number} size
 * @param {() => number} draw Numbers from 0 up to 1.
 * @returns {Generator<Item[], never>}
 */
export function* shuffled(items, size, draw) {
  if (items.length === 0) throw new Error("there are no examples; expected one or more");
  /** @type {Item[]} */
  let waiting = [];
  for (;;) {
    while (waiting.length < size) waiting = [...waiting, ...inNewOrder(items, draw)];
    yield waiting.slice(0, size);
    waiting = waiting.slice(size);
  }
}

/**
 * @template Item
 * @param {Item[]} items
 * @param {() => number} draw
 */
function inNewOrder(items, draw) {
  const made = [...items];
  for (let last = made.length - 1; last > 0; last--) {
    const other = Math.floor(draw() * (last + 1));
    [made[last], made[other]] = [made[other], made[last]];
  }
  return made;
}
