/** The steps to the NSP loss, and the sum of both losses. */
import { decimal } from "../numbers.js";
import { bars, calculation, minus, shares } from "../pictures.js";
import { sharesOf } from "../walk.js";
import { onlyPairs } from "./parts.js";

const LABELS = ["is next", "random"];

/** @type {import("../steps.js").AnyStep[]} */
export const nspSteps = [
  {
    name: "Does B follow A?",
    stage: 1,
    section: "the NSP loss",
    lines: ["nsp_logits =", "nsp_exp ="],
    words: () => "The head on [CLS] gives two logits; softmax turns them into probabilities.",
    picture: onlyPairs((logits) => {
      const [next, random] = sharesOf(LABELS, logits);
      return [
        shares([
          { ...next, strong: true },
          { ...random, derived: true },
        ]),
        calculation(
          [decimal(next.exp), "exp(is next)"],
          "/",
          [decimal(next.exp + random.exp), "sum"],
          "=",
          [decimal(next.share), "P(is next)"],
        ),
      ];
    }),
    alt: ({ nsp_logits: logits }) =>
      logits
        ? `The probability that B is next: ${decimal(sharesOf(LABELS, logits)[0].share)}`
        : "Only one sentence",
  },
  {
    name: "The NSP loss",
    stage: 1,
    section: "the NSP loss",
    lines: ["nsp_loss ="],
    words: ({ own }) =>
      own
        ? "You wrote B after A, so the label is “is next”."
        : "B does follow A, so the label is “is next”, and the loss is computed as before.",
    picture: onlyPairs((logits, { nsp_loss: loss }) => [
      minus(
        [logits[0] + loss, "log of the sum"],
        [logits[0], "logit of is next"],
        [loss, "NSP loss"],
      ),
    ]),
    alt: ({ nsp_loss: loss }) => `NSP loss ${decimal(loss)}`,
  },
  {
    name: "The sum",
    stage: 1,
    section: "the NSP loss",
    lines: ["loss ="],
    words: () =>
      "One number measures how wrong the model was in both. The next steps make it smaller.",
    picture: ({ mlm_loss: mlm, nsp_loss: nsp, loss }) => [
      bars([
        { name: "MLM loss", value: mlm },
        { name: "NSP loss", from: mlm, value: nsp },
        { name: "loss", value: loss, strong: true },
      ]),
      calculation([decimal(mlm), "MLM loss"], "+", [decimal(nsp), "NSP loss"], "=", [
        decimal(loss),
        "loss",
      ]),
    ],
    alt: ({ mlm_loss: mlm, nsp_loss: nsp, loss }) =>
      `${decimal(mlm)} and ${decimal(nsp)} add up to ${decimal(loss)}`,
  },
];
