/** The steps of pretraining that take the gradient. */
import { h } from "../../dom.js";
import { decimal, plain } from "../numbers.js";
import { bars, caption, ladder } from "../pictures.js";
import { lossBars, norms, normsInWords, oneWeight } from "./parts.js";

/** @type {import("../steps.js").GradientStep[]} */
export const optimizerSteps = [
  {
    name: "The gradient",
    stage: 1,
    section: "the gradient",
    lines: ["output.loss.backward()", "norms ="],
    needs: "gradient",
    words: () =>
      "Backpropagation computes how the loss changes with each weight. The bars show the norm, " +
      "or length, of the gradient in each part of the network.",
    picture: ({ norms: parts, norm }) => [norms(parts, norm)],
    alt: ({ norms: parts, norm }) => normsInWords(parts, norm),
  },
  {
    name: "Not longer than 1",
    stage: 1,
    section: "the gradient",
    lines: ["returned ="],
    needs: "gradient",
    words: ({ norm, max_norm: limit }) =>
      norm > limit
        ? "A gradient longer than 1 is scaled down to 1: all its numbers shrink by the same factor."
        : "A gradient longer than 1 would be scaled down to 1. This one is shorter, and stays as " +
          "it is.",
    picture: ({ norm, max_norm: limit }) => [
      bars(
        [
          { name: "norm", value: norm },
          { name: "cut to", value: Math.min(norm, limit), strong: true },
        ],
        {
          mark: limit,
        },
      ),
      caption(
        `The line marks ${limit}. Times ${decimal(limit / Math.max(norm, limit))}, it is `,
        h("b", {}, decimal(Math.min(norm, limit))),
        " long.",
      ),
    ],
    alt: ({ norm, max_norm: limit }) => `The norm is ${decimal(norm)}, the limit ${limit}`,
  },
  {
    name: "One weight, first step",
    stage: 1,
    section: "one weight",
    lines: ["written, m, v ="],
    needs: "gradient",
    words: ({ weight: [piece], rate }) =>
      `AdamW at one weight, a number in the embedding of “${piece}”: m and v are running ` +
      `averages of g and of g², and start at zero. lr is ${plain(rate)}.`,
    picture: ({ updates }) => [ladder(updates[0])],
    alt: ({ updates }) => oneWeight(updates[0]),
  },
  {
    name: "The same weight, second step",
    stage: 1,
    section: "one weight",
    lines: ["optimizer.step()", "optimizer.zero_grad()", "output = model(**batch)"],
    needs: "gradient",
    words: () =>
      "The updated model reads the same input and gets a new gradient; m and v remember the " +
      "first one.",
    picture: ({ updates }) => [ladder(updates[1])],
    alt: ({ updates }) => oneWeight(updates[1]),
  },
  {
    name: "What the steps did",
    stage: 1,
    section: "one weight",
    lines: ["losses.append("],
    needs: "gradient",
    words: () => "The loss on this input, before and after.",
    picture: ({ losses }) =>
      lossBars(losses.map((loss, n) => [["before", "after one step", "after two"][n], loss])),
    alt: ({ losses }) => `The loss falls from ${losses.map((loss) => decimal(loss)).join(" to ")}`,
  },
];
