// @ts-nocheck: its types are still to be written
/**
 * The steps: what each is called, says and shows, and which lines of the page's code make it.
 *
 * A step's picture is made of a walk, see walk.js. `lines` are beginnings of lines in the section
 * of examples/trace.py that the page shows under this name: the code itself is only there.
 */
import { h } from "../dom.js";
import {
  bars,
  calculation,
  caption,
  chips,
  decimal,
  drawLine,
  fateLines,
  ladder,
  plain,
  sentenceCards,
  shares,
} from "./pictures.js";
import { lossOf, RECIPE, sharesOf } from "./walk.js";

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {1 | 2} stage Pretraining, or fine-tuning.
 * @property {string} section Of examples/trace.py.
 * @property {string[]} lines How the lines of code begin that make what the picture shows.
 * @property {boolean} [gradient] Needs the gradient, so that only the walked input has it.
 * @property {boolean} [classes] Needs the scores of the classes, `walk.heads`.
 * @property {(walk: object) => string} words
 * @property {(walk: object) => (Element | null)[]} picture
 * @property {(walk: object) => string} alt What the picture shows, in a sentence.
 */

const count = (n, thing) => `${n} ${thing}${n === 1 ? "" : "s"}`;
const list = (parts) => parts.join(", ");
const selectedOf = ({ fates }) => [...fates.keys()].filter((n) => fates[n]);
const NOTHING = "This draw selected no token, so there is nothing to predict. Draw again above.";

/** The prediction that is followed closely: at [MASK] if there is one. */
function followed({ predictions, fates }) {
  return predictions.find(({ position }) => fates[position] === "masked") ?? predictions[0];
}

/** Where the model looks when it makes this prediction. */
const placeOf = ({ seen, fates }, { position }) =>
  fates[position] === "masked" ? "[MASK]" : `“${seen[position]}”`;

/** The truth first, then the most likely pieces. */
function candidates({ truth, logit, likeliest }) {
  const others = likeliest.filter(([piece]) => piece !== truth);
  return [[truth, logit], ...others];
}

const onlySelected = (picture) => (walk) =>
  walk.predictions.length ? picture(walk) : [caption(NOTHING)];
const onlyPairs = (picture) => (walk) =>
  walk.nsp_logits
    ? picture(walk)
    : [caption("There is only one sentence, so this loss is left out.")];

const minus = ([a, nameA], [b, nameB], [c, nameC]) =>
  calculation([decimal(a), nameA], "−", [decimal(b), nameB], "=", [decimal(c), nameC]);
const norms = (parts, whole) =>
  bars([
    ...Object.entries(parts).map(([name, value]) => ({ name, value })),
    { name: "all together", value: whole, strong: true },
  ]);
const normsInWords = (parts, whole) =>
  "Length of the gradient: " +
  list(Object.entries(parts).map(([name, norm]) => `${name} ${decimal(norm)}`)) +
  `; all together ${decimal(whole)}`;
const lossBars = (rows) => [bars(rows.map(([name, value]) => ({ name, value })))];
const oneWeight = (rows) =>
  `From w = ${decimal(rows[0][1])}, decay and update make the new w = ${decimal(rows.at(-1)[1])}`;

/** @type {Step[]} */
export const steps = [
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
    picture: onlySelected((walk) => [
      bars(
        candidates(followed(walk)).map(([name, value], n) => ({
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
    picture: onlySelected((walk) => {
      const one = followed(walk);
      const rows = candidates(one).map(([name, logit], n) => ({
        name: n ? name : `${name} (the truth)`,
        logit,
        exp: Math.exp(logit),
        share: Math.exp(logit - one.log_sum_exp),
        strong: !n,
        derived: n > 0, // the page gives the probability of the truth alone
      }));
      const total = Math.exp(one.log_sum_exp);
      const exp = rows.reduce((rest, row) => rest - row.exp, total);
      const others = `the ${walk.vocabulary - rows.length} others`;
      rows.push({ name: others, exp, share: exp / total, derived: true });
      return [
        shares(rows, { digits: 1, shareDigits: 6 }),
        caption("log of the sum = ", h("b", {}, decimal(one.log_sum_exp))),
      ];
    }),
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
  {
    name: "Does B follow A?",
    stage: 1,
    section: "the NSP loss",
    lines: ["nsp_logits =", "nsp_exp ="],
    words: () => "The head on [CLS] gives two logits; softmax turns them into probabilities.",
    picture: onlyPairs(({ nsp_logits: logits }) => {
      const rows = sharesOf(["is next", "random"], logits);
      const sum = rows[0].exp + rows[1].exp;
      rows[0].strong = true;
      rows[1].derived = true;
      return [
        shares(rows),
        calculation([decimal(rows[0].exp), "exp(is next)"], "/", [decimal(sum), "sum"], "=", [
          decimal(rows[0].share),
          "P(is next)",
        ]),
      ];
    }),
    alt: ({ nsp_logits: logits }) =>
      logits
        ? "The probability that B is next: " +
          `${decimal(sharesOf(["is next", "random"], logits)[0].share)}`
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
    picture: onlyPairs(({ nsp_logits: logits, nsp_loss: loss }) => [
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
  {
    name: "The gradient",
    stage: 1,
    section: "the gradient",
    lines: ["output.loss.backward()", "norms ="],
    gradient: true,
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
    gradient: true,
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
    gradient: true,
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
    gradient: true,
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
    gradient: true,
    words: () => "The loss on this input, before and after.",
    picture: ({ losses }) =>
      lossBars(losses.map((loss, n) => [["before", "after one step", "after two"][n], loss])),
    alt: ({ losses }) => `The loss falls from ${losses.map((loss) => decimal(loss)).join(" to ")}`,
  },
  {
    name: "The same input, whole",
    stage: 2,
    section: "the classification head",
    lines: ["classifier =", "classifier.bert.load_state_dict("],
    words: ({ own, classes, sentiment }) =>
      own
        ? "Nothing is masked now. The pretrained encoder gets a new head with two classes and " +
          "random weights."
        : "Nothing is masked now. The pretrained encoder, as it was before these steps, gets a " +
          "new head with two classes and random weights. The label is " +
          `“${classes[sentiment]}”.`,
    picture: (walk) => [chips(walk)],
    alt: ({ pieces }) => `The model sees all ${pieces.length} tokens`,
  },
  {
    name: "Two classes",
    stage: 2,
    section: "the classification head",
    lines: ["class_logits =", "class_exp =", "class_p ="],
    classes: true,
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
    classes: true,
    words: ({ own }) =>
      own
        ? "Computed as before. You know which label is right; here is the loss for each."
        : "Computed as before: cross-entropy, with the label of the whole input.",
    picture: ({ own, classes, heads, sentiment }) =>
      heads.flatMap(({ name, logits }) => [
        own ? caption(h("b", {}, name)) : null,
        ...(own ? [...classes.keys()] : [sentiment]).map((label) => {
          const { log_sum_exp: sum, logit, loss } = lossOf(logits, label);
          return minus(
            [sum, "log of the sum"],
            [logit, `logit of ${classes[label]}`],
            [loss, "loss"],
          );
        }),
      ]),
    alt: ({ own, classes, heads, sentiment }) =>
      list(
        heads.flatMap(({ name, logits }) =>
          (own ? [...classes.keys()] : [sentiment]).map((label) =>
            `${name} if ${classes[label]}: loss ${decimal(lossOf(logits, label).loss)}`.trim(),
          ),
        ),
      ),
  },
  {
    name: "The gradient",
    stage: 2,
    section: "the gradient of the second stage",
    lines: ["output.loss.backward()", "norms ="],
    gradient: true,
    words: () => "Nothing is frozen: the new head gets a gradient, and so does the whole encoder.",
    picture: ({ class_norms: parts, class_norm: norm }) => [norms(parts, norm)],
    alt: ({ class_norms: parts, class_norm: norm }) => normsInWords(parts, norm),
  },
  {
    name: "One gradient by hand",
    stage: 2,
    section: "the gradient of the second stage",
    lines: ["by_hand ="],
    gradient: true,
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
    gradient: true,
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
    gradient: true,
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
