import assert from "node:assert/strict";
import { test } from "node:test";
import { Tokenizer } from "../../../../docs/assets/bert/tokenizer.js";
import {
  candidates,
  drawInput,
  followed,
  isClassified,
  losses,
  lossOf,
  selectedOf,
  sentences,
  sharesOf,
  walkedFrom,
} from "../../../../docs/assets/widgets/trace/walk.js";
import { close } from "../../close.js";

const tokenizer = new Tokenizer("[UNK] [CLS] [SEP] [MASK] the goat slept .".split(" "));

/**
 * A model that says the same of whatever it sees.
 * @param {number[]} scores Of the vocabulary.
 */
const bertThatSays = (scores) => ({
  /** @type {{ids: ArrayLike<number>, segments: ArrayLike<number>}[]} What it was shown. */
  shown: [],
  /** @type {(ids: ArrayLike<number>, segments: ArrayLike<number>) => Float32Array<ArrayBuffer>} */
  encode(ids, segments) {
    this.shown.push({ ids, segments });
    return new Float32Array();
  },
  maskedLM: (/** @type {unknown} */ _, /** @type {number[]} */ positions) =>
    positions.map(() => Float32Array.from(scores)),
  nextSentence: () => Float32Array.of(Math.log(3), 0),
});

test("the first sentence is A, and the rest B", () => {
  assert.deepEqual(sentences("  The goat\n slept.  It woke. It ate."), [
    "The goat slept.",
    "It woke. It ate.",
  ]);
  assert.deepEqual(sentences("“It slept!” Did it?"), ["“It slept!”", "Did it?"]);
  assert.deepEqual(sentences("The goat slept."), ["The goat slept.", null]);
  assert.deepEqual(sentences("v1.5 is out"), ["v1.5 is out", null]);
});

test("a draw is the same each time, and selects below the recipe's share", () => {
  const text = `${"The goat slept. ".repeat(30)}`;
  const input = drawInput(tokenizer, 512, text, 5);
  assert.deepEqual(input, drawInput(tokenizer, 512, text, 5));
  assert.notDeepEqual(input.fates, drawInput(tokenizer, 512, text, 6).fates);
  const selected = selectedOf(input);
  assert.ok(selected.length > 5);
  for (const [n, fate] of input.fates.entries()) {
    assert.equal(fate !== "", input.selectable[n] && input.select_draw[n] < 0.15);
    if (fate === "masked") assert.ok(input.fate_draw[n] < 0.8 && input.seen[n] === "[MASK]");
    else if (fate !== "random") assert.equal(input.seen[n], input.pieces[n]);
  }
});

test("an input has a segment for each sentence, and says if it was cut", () => {
  const two = drawInput(tokenizer, 64, "The goat. It slept.", 1);
  assert.deepEqual(two.texts, ["The goat.", "It slept."]);
  assert.equal(two.pieces.join(" "), "[CLS] the goat . [SEP] [UNK] slept . [SEP]");
  assert.equal(two.segments.join(""), "000001111");
  assert.deepEqual(
    two.pieces.filter((_, n) => !two.selectable[n]),
    ["[CLS]", "[SEP]", "[SEP]"],
  );
  assert.deepEqual([two.vocabulary, two.cut], [8, false]);
  const one = drawInput(tokenizer, 4, "The goat slept.", 1);
  assert.deepEqual([one.texts, one.cut], [["The goat slept."], true]);
});

test("the MLM loss is the mean over the selected tokens, the model sees what was drawn", () => {
  const scores = [0, 0, 0, 0, 1, 2, 3, -1];
  const bert = bertThatSays(scores);
  const input = {
    ids: [1, 4, 5, 7, 2],
    segments: [0, 0, 0, 0, 0],
    fates: /** @type {const} */ (["", "masked", "", "kept", ""]),
    seen: ["[CLS]", "[MASK]", "goat", ".", "[SEP]"],
    texts: ["The goat."],
  };
  const made = losses(bert, tokenizer, { ...input, fates: [...input.fates] });
  assert.deepEqual(bert.shown, [{ ids: [1, 3, 5, 7, 2], segments: input.segments }]);
  const all = Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0));
  assert.deepEqual(
    made.predictions.map(({ position, truth, logit }) => [position, truth, logit]),
    [
      [1, "the", 1],
      [3, ".", -1],
    ],
  );
  close([made.predictions[0].loss, made.predictions[1].loss], [all - 1, all + 1], 1e-6);
  close([made.mlm_loss, made.nsp_loss, made.loss], [all, 0, all], 1e-6);
  assert.equal(made.nsp_logits, null);
  assert.deepEqual(made.predictions[0].likeliest, [
    ["slept", 3],
    ["goat", 2],
    ["the", 1],
    ["[UNK]", 0],
  ]);
});

test("with two sentences the NSP loss is added; without a selected token it is alone", () => {
  const input = drawInput(tokenizer, 64, "The goat. The goat slept.", 1);
  const fates = input.fates.map(() => /** @type {const} */ (""));
  const made = losses(bertThatSays([0, 0, 0, 0, 0, 0, 0, 0]), tokenizer, { ...input, fates });
  close(made.nsp_logits ?? [], [Math.log(3), 0], 1e-6);
  close([made.mlm_loss, made.nsp_loss, made.loss], [0, Math.log(4 / 3), Math.log(4 / 3)], 1e-6);
});

test("a loss is the log of the sum minus the true logit; shares are of the sum", () => {
  const { logit, log_sum_exp, loss } = lossOf([Math.log(2), Math.log(3)], 0);
  close([logit, log_sum_exp, loss], [Math.log(2), Math.log(5), Math.log(5 / 2)], 1e-12);
  const [a, b] = sharesOf(["a", "b"], [0, Math.log(3)]);
  assert.deepEqual([a.name, b.name, b.logit], ["a", "b", Math.log(3)]);
  close([a.exp, a.share, b.exp, b.share], [1, 0.25, 3, 0.75], 1e-12);
});

test("a masked position is followed rather than another; the truth is its first candidate", () => {
  const loss = { logit: 1, log_sum_exp: 2, loss: 1 };
  /** @type {(position: number) => import("../../../../docs/assets/widgets/trace/walk.js").Prediction} */
  const at = (position) => ({
    ...loss,
    position,
    truth: "goat",
    likeliest: [
      ["the", 3],
      ["goat", 1],
    ],
  });
  const predictions = [at(0), at(1)];
  assert.equal(followed({ predictions, fates: ["kept", "masked"] })?.position, 1);
  assert.equal(followed({ predictions, fates: ["kept", "random"] })?.position, 0);
  assert.equal(followed({ predictions: [], fates: [""] }), undefined);
  assert.deepEqual(candidates(at(0)), [
    ["goat", 1],
    ["the", 3],
  ]);
});

test("the page's walk has its one head; a reader's has none at first", () => {
  const walked = walkedFrom({ texts: ["a"], class_logits: [1, 2] });
  assert.deepEqual(walked.heads, [{ name: "", logits: [1, 2] }]);
  assert.deepEqual([walked.own, walked.cut, isClassified(walked)], [false, false, true]);
  const input = drawInput(tokenizer, 64, "The goat.", 1);
  const own = { ...input, ...losses(bertThatSays([0]), tokenizer, input), own: true };
  assert.equal(isClassified(/** @type {any} */ (own)), false);
  assert.throws(() => walkedFrom(null));
});
