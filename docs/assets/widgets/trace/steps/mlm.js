/** The steps from the scores of the vocabulary to the MLM loss. */
import { h } from "../../dom.js";
import { decimal } from "../numbers.js";
import { bars, caption, minus, shares } from "../pictures.js";
import { candidates, followed } from "../walk.js";
import { list, NOTHING, onlySelected } from "./parts.js";

/** @typedef {import("../pictures.js").Share} Share */
/** @typedef {import("../walk.js").Prediction} Prediction */
/** @typedef {import("../walk.js").Walk} Walk */

/**
 * Where the model looks when it makes this prediction.
 * @param {Walk} walk
 * @param {Prediction} prediction
 */
const placeOf = ({ seen, fates }, { position }) =>
  fates[position] === "masked" ? "[MASK]" : `“${seen[position]}”`;

/**
 * The probabilities of the truth, of the most likely pieces, and of all others together.
 * @param {Prediction} prediction
 * @param {number} vocabulary
 * @returns {Share[]}
 */
export function sharesAt(prediction, vocabulary) {
  const rows = candidates(prediction).map(([name, logit], n) => ({
    name: n ? name : `${name} (the truth)`,
    logit,
    exp: Math.exp(logit),
    share: Math.exp(logit - prediction.log_sum_exp),
    strong: !n,
    derived: n > 0, // the page gives the probability of the truth alone
  }));
  const total = Math.exp(prediction.log_sum_exp);
  const exp = rows.reduce((rest, row) => rest - row.exp, total);
  const others = `the ${vocabulary - rows.length} others`;
  return [...rows, { name: others, exp, share: exp / total, derived: true }];
}

/** @type {import("../steps.js").AnyStep[]} */
export const mlmSteps = [
  {
    name: "A score for every piece",
    stage: 1,
    section: "the MLM loss",
    lines: ["output =", "logits ="],
    words: (walk) => {
      const one = followed(walk);
      const where = one ? `At ${placeOf(walk, one)}` : "At a selected position";
      return (
        `${where}, the head gives each of the ${walk.vocabulary} pieces a score, its logit. ` +
        "Here are the truth and the highest scores."
      );
    },
    picture: onlySelected((_, one) => [
      bars(
        candidates(one).map(([name, value], n) => ({
          name: n ? name : `${name} (the truth)`,
          value,
          strong: !n,
        })),
      ),
    ]),
    alt: (walk) => {
      const one = followed(walk);
      if (!one) return NOTHING;
      const rows = candidates(one).map(([name, value]) => `${name} ${decimal(value)}`);
      return `Logits, the truth first: ${list(rows)}`;
    },
  },
  {
    name: "Scores become probabilities",
    stage: 1,
    section: "the MLM loss",
    lines: ["log_sum_exp ="],
    words: () =>
      "Softmax: exp makes every score positive; divided by their sum, they add up to 1. From all " +
      "the other scores, the loss needs only the logarithm of that sum.",
    picture: onlySelected(({ vocabulary }, one) => [
      shares(sharesAt(one, vocabulary), { digits: 1, shareDigits: 6 }),
      caption("log of the sum = ", h("b", {}, decimal(one.log_sum_exp))),
    ]),
    alt: (walk) => {
      const one = followed(walk);
      return one
        ? `Softmax gives ${one.truth} the probability ${decimal(Math.exp(-one.loss), 6)}`
        : NOTHING;
    },
  },
  {
    name: "The loss at each position",
    stage: 1,
    section: "the MLM loss",
    lines: ["true_logit =", "loss_each ="],
    words: () =>
      "The loss is −log p, the same as the log of the sum minus the logit of the truth. A guess " +
      "that is right and confident costs next to nothing.",
    picture: onlySelected(({ predictions }) =>
      predictions.map(({ truth, log_sum_exp: sum, logit, loss }) =>
        h(
          "div",
          { class: "position" },
          h("span", { class: "token" }, truth),
          minus([sum, "log of the sum"], [logit, "its logit"], [loss, "loss"]),
          h("small", {}, `p = ${decimal(Math.exp(-loss), 6)}`),
        ),
      ),
    ),
    alt: ({ predictions }) =>
      list(predictions.map(({ truth, loss }) => `${truth}: loss ${decimal(loss)}`)) || NOTHING,
  },
  {
    name: "Their mean: the MLM loss",
    stage: 1,
    section: "the MLM loss",
    lines: ["mlm_loss ="],
    words: ({ vocabulary }) =>
      `The line marks log ${vocabulary} = ${decimal(Math.log(vocabulary))}: the loss of a model ` +
      "that finds all pieces equally likely.",
    picture: onlySelected(({ predictions, mlm_loss: mean, vocabulary }) => [
      bars(
        [
          ...predictions.map(({ truth, loss }) => ({ name: truth, value: loss })),
          { name: "mean", value: mean, strong: true },
        ],
        { mark: Math.log(vocabulary) },
      ),
      h(
        "p",
        { class: "caption formula" },
        predictions.length > 1
          ? `(${predictions.map(({ loss }) => decimal(loss)).join(" + ")})`
          : decimal(mean),
        ` / ${predictions.length} = `,
        h("b", {}, decimal(mean)),
      ),
    ]),
    alt: ({ predictions, mlm_loss: mean }) =>
      predictions.length ? `The mean of ${predictions.length} losses is ${decimal(mean)}` : NOTHING,
  },
];
