/** A whole training run, from the first step to the last, or until it is stopped. */
import { Bert } from "./bert.js";
import { seededDraws } from "./masking.js";
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
 */

/**
 * @typedef {object} Progress
 * @property {number} step Counted from 1.
 * @property {number} loss Of this step's examples, before its update; of all, at step 0.
 * @property {Outcome} [heldOut] After its update, where it was measured.
 */

/**
 * @param {Task} task
 * @param {(progress: Progress) => void} tell
 * @param {() => Promise<boolean>} isStopped Is asked after each step, and may take its time.
 * @returns {Promise<Trainer>} As it is after the last step.
 * @throws {Error} If the loss is no longer a number.
 */
export async function runCourse(task, tell, isStopped) {
  const { examples, heldOut = [], every = Infinity, batchSize = 16, seed = 0 } = task;
  const measure = task.wholeTexts ? countTexts : countLabels;
  const { steps } = task.options;
  const trainer = new Trainer(new Bert(task.tensors, task.config), task.head, task.options);
  const batches = shuffled(examples, batchSize, seededDraws(seed));
  if (task.atStart) {
    const { loss } = trainer.evaluate(examples);
    tell(
      heldOut.length > 0
        ? { step: 0, loss, heldOut: measure(trainer, heldOut) }
        : { step: 0, loss },
    );
  }
  while (trainer.taken < steps) {
    const { loss } = trainer.step(batches.next().value);
    if (!Number.isFinite(loss)) {
      throw new Error(
        `The loss is no longer a number after ${trainer.taken} steps; try a lower learning rate ` +
          `than ${task.options.learningRate}.`,
      );
    }
    const step = trainer.taken;
    const measured = heldOut.length > 0 && (step % every === 0 || step === steps);
    tell(measured ? { step, loss, heldOut: measure(trainer, heldOut) } : { step, loss });
    if (await isStopped()) break;
  }
  return trainer;
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
