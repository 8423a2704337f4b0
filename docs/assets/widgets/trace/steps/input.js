/** The steps from a text to what the model sees of it. */
import { decimal } from "../numbers.js";
import { caption, chips, drawLine, fateLines, sentenceCards } from "../pictures.js";
import { RECIPE, selectedOf } from "../walk.js";
import { count, list, NOTHING, onlySelected } from "./parts.js";

/** @type {import("../steps.js").AnyStep[]} */
export const inputSteps = [
  {
    name: "Two sentences",
    stage: 1,
    section: "the input",
    lines: ["text_a, text_b, sentiment ="],
    words: ({ own, texts }) =>
      !own
        ? "They follow each other in a story that the model never saw."
        : texts.length > 1
          ? "Yours, split where the first sentence ends."
          : "One sentence, A. Write a second one after it, and it becomes B.",
    picture: (walk) => [sentenceCards(walk)],
    alt: ({ texts }) => `${count(texts.length, "sentence")}: ${texts.join(" ")}`.slice(0, 500),
  },
  {
    name: "Pieces",
    stage: 1,
    section: "the input",
    lines: ["pieces ="],
    words: ({ pieces, cut }) =>
      "The tokenizer splits them into pieces and puts [CLS] in front and [SEP] after each " +
      `sentence: ${pieces.length} tokens. B has a dashed border.` +
      (cut ? " The model reads no more than these; the rest is cut off." : ""),
    picture: (walk) => [chips(walk)],
    alt: ({ pieces }) => `${pieces.length} tokens: ${pieces.join(" ")}`,
  },
  {
    name: "A number for each piece",
    stage: 1,
    section: "the input",
    lines: ["encoded =", "input_ids, segments ="],
    words: ({ vocabulary }) =>
      `Each piece has an id, its number in a vocabulary of ${vocabulary}. The network reads the ` +
      "ids, and which segment each belongs to.",
    picture: (walk) => [chips(walk, { under: (n) => walk.ids[n] })],
    alt: ({ pieces, ids }) => `Ids: ${list(pieces.map((piece, n) => `${piece} ${ids[n]}`))}`,
  },
  {
    name: "Who is selected",
    stage: 1,
    section: "the draws",
    lines: ["select_draw, fate_draw =", "selected ="],
    words: (walk) =>
      `Each token except [CLS] and [SEP] draws a number from 0 to 1. Below ${RECIPE.select}, it ` +
      `is selected: ${selectedOf(walk).length} of ${walk.selectable.filter(Boolean).length} here.`,
    picture: (walk) => [
      drawLine(walk),
      chips(walk, {
        selected: true,
        under: (n) => (walk.selectable[n] ? decimal(walk.select_draw[n], 3) : "–"),
      }),
    ],
    alt: (walk) => {
      const chosen = selectedOf(walk).map(
        (n) => `${walk.pieces[n]} ${decimal(walk.select_draw[n], 3)}`,
      );
      return `Draws below ${RECIPE.select}: ${list(chosen) || "none"}`;
    },
  },
  {
    name: "Three fates",
    stage: 1,
    section: "the draws",
    lines: ["is_masked =", "is_random =", "is_kept ="],
    words: () =>
      "A selected token draws again: below 0.8 it becomes [MASK], below 0.9 a random token, and " +
      "otherwise it is kept.",
    picture: onlySelected((walk) => [fateLines(walk)]),
    alt: (walk) =>
      list(
        selectedOf(walk).map(
          (n) => `${walk.pieces[n]} draws ${decimal(walk.fate_draw[n], 3)}: ${walk.fates[n]}`,
        ),
      ) || NOTHING,
  },
  {
    name: "What the model sees",
    stage: 1,
    section: "the draws",
    lines: [
      "labels =",
      "seen = torch.where(is_masked",
      "replacements =",
      "seen = torch.where(is_random",
    ],
    words: ({ predictions }) =>
      "▢ masked, ⇄ random, = kept. The model has to predict the original token at " +
      `${count(predictions.length, "position")}; the others carry no loss.`,
    picture: (walk) => [
      chips(walk, { fates: true }),
      walk.predictions.length ? null : caption(NOTHING),
    ],
    alt: (walk) => `What the model sees: ${walk.seen.join(" ")}`,
  },
];
