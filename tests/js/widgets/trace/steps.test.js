import assert from "node:assert/strict";
import { test } from "node:test";
import { close } from "../../close.js";
import { allOf, markup } from "../../page.js";

const { steps } = await import("../../../../docs/assets/widgets/trace/steps.js");
const { sharesAt } = await import("../../../../docs/assets/widgets/trace/steps/mlm.js");
const { NOTHING } = await import("../../../../docs/assets/widgets/trace/steps/parts.js");
const { contentOf } = await import("../../../../docs/assets/widgets/trace/view.js");
const { lossOf, walkedFrom } = await import("../../../../docs/assets/widgets/trace/walk.js");

/** @typedef {import("../../../../docs/assets/widgets/trace/walk.js").Own} Own */
/** @typedef {import("../../../../docs/assets/widgets/trace/walk.js").Prediction} Prediction */

const LOGITS = [2, 1, 0, -1];
const PIECES = ["goat", "the", "slept", "."];
/** @type {Prediction} */
const PREDICTION = {
  position: 1,
  truth: "the",
  ...lossOf(LOGITS, 1),
  likeliest: [
    ["goat", 2],
    ["the", 1],
    ["slept", 0],
  ],
};

/** @type {Own} */
const OWN = {
  own: true,
  cut: false,
  texts: ["The goat.", "It slept."],
  pieces: ["[CLS]", "the", "goat"],
  ids: [1, 7, 8],
  segments: [0, 0, 1],
  selectable: [false, true, true],
  select_draw: [0, 0.125, 0.5],
  fate_draw: [0, 0.25, 0],
  fates: ["", "masked", ""],
  seen: ["[CLS]", "[MASK]", "goat"],
  vocabulary: 4,
  predictions: [PREDICTION],
  mlm_loss: PREDICTION.loss,
  nsp_logits: [1, 0],
  nsp_loss: lossOf([1, 0], 0).loss,
  loss: PREDICTION.loss + lossOf([1, 0], 0).loss,
};
/** @type {Own} */
const NONE_SELECTED = { ...OWN, fates: ["", "", ""], predictions: [], mlm_loss: 0 };
/** @type {Own} */
const ONE_SENTENCE = { ...OWN, texts: ["The goat."], nsp_logits: null, nsp_loss: 0 };
/** @type {import("../../../../docs/assets/widgets/trace/walk.js").Rung[]} */
const RUNGS = [
  ["w", 0.5, "the weight before"],
  ["w", 0.25, "w − update"],
];
const WALKED = walkedFrom({
  ...OWN,
  classes: ["negative", "positive"],
  class_logits: [0, 1],
  sentiment: 0,
  norms: { embeddings: 3, layer: 4 },
  norm: 5,
  max_norm: 1,
  rate: 0.0001,
  weight: ["goat", 3],
  updates: [RUNGS, RUNGS, RUNGS],
  losses: [3, 2, 1],
  class_loss: 1.5,
  class_loss_after: 1.25,
  class_norms: { head: 0.5 },
  class_norm: 0.5,
  class_rate: 5e-5,
  by_hand: -0.75,
  pooled: 0.5,
});
const CLASSIFIED = {
  ...OWN,
  classes: ["negative", "positive"],
  heads: [
    { name: "Before", logits: [0, 0] },
    { name: "After", logits: [0, 2] },
  ],
};

/** @param {string} name */
const stepOf = (name, stage = 1) => {
  const step = steps.find((one) => one.name === name && one.stage === stage);
  assert.ok(step, name);
  return step;
};

/**
 * All that a step shows, as one text.
 * @param {import("../../../../docs/assets/widgets/trace/steps.js").Step} step
 * @param {import("../../../../docs/assets/widgets/trace/walk.js").Walk | null} walk
 */
const shown = (step, walk, text = "The goat.") =>
  contentOf(step, walk, WALKED, text).map(markup).join("");

test("each step has words, a picture and its description, whatever was drawn", () => {
  for (const walk of [WALKED, OWN, NONE_SELECTED, ONE_SENTENCE, CLASSIFIED]) {
    for (const step of steps) {
      const made = shown(step, walk);
      assert.doesNotMatch(made, /undefined|NaN|null/, step.name);
      if (step.needs === "classes" && walk.heads === undefined) {
        assert.equal(made, '<p class="caption">One moment …</p>');
        continue;
      }
      assert.match(made, /^<p>\S.*<figure role="group" aria-label="[^"]+">.+<\/figure>/, step.name);
      assert.equal(made.includes('class="borrowed"'), walk.own && step.needs === "gradient");
    }
  }
});

test("without a walk, a step says what it waits for, or shows the page's gradient", () => {
  assert.match(shown(steps[0], null), /One moment …/);
  assert.match(shown(steps[0], null, " \n"), /Write a sentence first\./);
  assert.match(shown(stepOf("The gradient"), null), /walked input\..*embeddings 3\.00000/);
});

test("a step says that nothing was selected, or that there is no pair", () => {
  for (const name of ["Three fates", "The loss at each position", "Their mean: the MLM loss"]) {
    assert.ok(shown(stepOf(name), NONE_SELECTED).includes(NOTHING), name);
    assert.ok(!shown(stepOf(name), OWN).includes(NOTHING), name);
  }
  assert.match(shown(stepOf("Does B follow A?"), ONE_SENTENCE), /only one sentence/);
  assert.doesNotMatch(shown(stepOf("Does B follow A?"), OWN), /only one sentence/);
});

test("the probabilities at a position add up to 1, with those of all other pieces", () => {
  const rows = sharesAt(PREDICTION, PIECES.length);
  assert.deepEqual(
    rows.map(({ name }) => name),
    ["the (the truth)", "goat", "slept", "the 1 others"],
  );
  const exps = [1, 2, 0, -1].map(Math.exp);
  const sum = exps.reduce((a, b) => a + b);
  close(
    rows.map(({ share }) => share),
    exps.map((exp) => exp / sum),
    1e-12,
  );
  assert.deepEqual(
    rows.map(({ derived }) => derived),
    [false, true, true, true],
  );
});

test("a gradient is cut to 1 if it is longer, and else left as it is", () => {
  const step = stepOf("Not longer than 1");
  assert.match(shown(step, WALKED), /is scaled down to 1: .*Times 0\.20000, it is <b>1\.00000/);
  assert.match(shown(step, WALKED), /cut to<.*"number strong">1\.00000</);
  const short = { ...WALKED, norm: 0.5 };
  const made = contentOf(step, short, short, "").map(markup).join("");
  assert.match(made, /stays as it is\..*Times 1\.00000, it is <b>0\.50000/);
});

test("of a reader's text all labels have a loss, of the page's the true one", () => {
  const step = stepOf("The loss", 2);
  assert.match(shown(step, WALKED), /aria-label="if negative: loss 1\.31326"/);
  const after = "After if negative: loss 2.12693, After if positive: loss 0.12693";
  assert.ok(shown(step, CLASSIFIED).includes(after));
  const pictures = contentOf(step, CLASSIFIED, WALKED, "");
  assert.equal(pictures.flatMap((part) => allOf(part, "calculation")).length, 4);
});
