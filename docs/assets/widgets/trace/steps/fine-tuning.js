/** The steps of the second stage: a new head on the same encoder. */
import { h } from "../../dom.js";
import { decimal, plain } from "../numbers.js";
import { calculation, caption, chips, ladder, minus, shares } from "../pictures.js";
import { lossOf, sharesOf } from "../walk.js";
import { list, lossBars, norms, normsInWords, oneWeight } from "./parts.js";

/** @typedef {import("../walk.js").Classified} Classified */

/**
 * The labels whose loss is shown: the true one; of a reader's text, which has none, all of them.
 * @param {Classified} walk
 */
const labelsOf = (walk) => (walk.own ? [...walk.classes.keys()] : [walk.sentiment]);

/** @type {import("../steps.js").Step[]} */
export const fineTuningSteps = [
  {
    name: "The same input, whole",
    stage: 2,
    section: "the classification head",
    lines: ["classifier =", "classifier.bert.load_state_dict("],
    words: (walk) =>
      walk.own
        ? "Nothing is masked now. The pretrained encoder gets a new head with two classes and " +
          "random weights."
        : "Nothing is masked now. The pretrained encoder, as it was before these steps, gets a " +
          "new head with two classes and random weights. The label is " +
          `“${walk.classes[walk.sentiment]}”.`,
    picture: (walk) => [chips(walk)],
    alt: ({ pieces }) => `The model sees all ${pieces.length} tokens`,
  },
  {
    name: "Two classes",
    stage: 2,
    section: "the classification head",
    lines: ["class_logits =", "class_exp =", "class_p ="],
    needs: "classes",
    words: ({ own }) =>
      own
        ? "The new head guesses. Below it is what fine-tuning makes of it, in the model that " +
          "this site publishes."
        : "The new head does not know yet what its classes mean.",
    picture: ({ classes, heads, own }) =>
      heads.flatMap(({ name, logits }) => [
        own ? caption(h("b", {}, name)) : null,
        shares(sharesOf(classes, logits), { sum: false }),
      ]),
    alt: ({ classes, heads }) =>
      list(
        heads.map(({ name, logits }) =>
          [name, ...sharesOf(classes, logits).map((row) => `${row.name} ${decimal(row.share)}`)]
            .filter(Boolean)
            .join(" "),
        ),
      ),
  },
  {
    name: "The loss",
    stage: 2,
    section: "the classification head",
    lines: ["class_loss ="],
    needs: "classes",
    words: ({ own }) =>
      own
        ? "Computed as before. You know which label is right; here is the loss for each."
        : "Computed as before: cross-entropy, with the label of the whole input.",
    picture: (walk) =>
      walk.heads.flatMap(({ name, logits }) => [
        walk.own ? caption(h("b", {}, name)) : null,
        ...labelsOf(walk).map((label) => {
          const { log_sum_exp: sum, logit, loss } = lossOf(logits, label);
          const of = `logit of ${walk.classes[label]}`;
          return minus([sum, "log of the sum"], [logit, of], [loss, "loss"]);
        }),
      ]),
    alt: (walk) =>
      list(
        walk.heads.flatMap(({ name, logits }) =>
          labelsOf(walk).map((label) => {
            const { loss } = lossOf(logits, label);
            return `${name} if ${walk.classes[label]}: loss ${decimal(loss)}`.trim();
          }),
        ),
      ),
  },
  {
    name: "The gradient",
    stage: 2,
    section: "the gradient of the second stage",
    lines: ["output.loss.backward()", "norms ="],
    needs: "gradient",
    words: () => "Nothing is frozen: the new head gets a gradient, and so does the whole encoder.",
    picture: ({ class_norms: parts, class_norm: norm }) => [norms(parts, norm)],
    alt: ({ class_norms: parts, class_norm: norm }) => normsInWords(parts, norm),
  },
  {
    name: "One gradient by hand",
    stage: 2,
    section: "the gradient of the second stage",
    lines: ["by_hand ="],
    needs: "gradient",
    words: ({ classes, sentiment }) =>
      "A weight of the head connects one number of the pooled [CLS] to one class. For " +
      `“${classes[sentiment]}”, the true class, its gradient is (P − 1) × that number.`,
    picture: ({ classes, class_logits: logits, sentiment, pooled, by_hand: gradient }) => [
      calculation(
        "(",
        [decimal(sharesOf(classes, logits)[sentiment].share), `P(${classes[sentiment]})`],
        "− 1) ×",
        [decimal(pooled), "pooled"],
        "=",
        [decimal(gradient), "g"],
      ),
    ],
    alt: ({ by_hand: gradient }) => `The gradient of this weight is ${decimal(gradient)}`,
  },
  {
    name: "One weight of the new head",
    stage: 2,
    section: "the step of the second stage",
    lines: ["nn.utils.clip_grad_norm_(", "written, _, _ ="],
    needs: "gradient",
    words: ({ class_norm: norm, max_norm: limit, class_rate: rate }) =>
      `The gradient is scaled by ${decimal(limit / Math.max(norm, limit))}, then AdamW changes ` +
      `the weight as before. lr is ${plain(rate)}.`,
    picture: ({ updates }) => [ladder(updates[2])],
    alt: ({ updates }) => oneWeight(updates[2]),
  },
  {
    name: "What the step did",
    stage: 2,
    section: "the step of the second stage",
    lines: ["optimizer.step()", "after ="],
    needs: "gradient",
    words: () =>
      "Between the stages, the input, the head and the label have changed. The encoder, the " +
      "cross-entropy, backpropagation and AdamW are the same.",
    picture: ({ class_loss: before, class_loss_after: after }) =>
      lossBars([
        ["before", before],
        ["after one step", after],
      ]),
    alt: ({ class_loss: before, class_loss_after: after }) =>
      `The loss falls from ${decimal(before)} to ${decimal(after)}`,
  },
];
