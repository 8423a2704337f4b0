/** What the widget on heads computes: inputs, readings, remarks on them. No page is needed. */

import { decodeAnswer, decodeEntities, findWords, isForeign } from "../../bert/decode.js";
import { softmax } from "../../bert/scores.js";
import { probability } from "../numbers.js";

/** @typedef {import("../../bert/decode.js").Entity} Entity */
/** @typedef {import("../../bert/decode.js").Span} Span */
/** @typedef {import("../../bert/model.js").Model} Model */
/** @typedef {ReturnType<import("../../bert/tokenizer.js").Tokenizer["encode"]>} Input */

/** @typedef {keyof typeof TASKS} Task */
/** @typedef {{task: Task, text: string, question: string}} State */

/** @typedef {{task: "sentiment", classes: {label: string, share: number}[]}} Sentiment */
/** @typedef {{task: "entities", entities: Entity[]}} Entities */

/**
 * The best span of the text, the score of "no answer", and which of the two is higher.
 * @typedef {object} Answer
 * @property {"question"} task
 * @property {Span & {score: number}} span
 * @property {number} none
 * @property {boolean} answered
 */

/** @typedef {Sentiment | Entities | Answer} Reading What a model makes of an input. */

/** @type {Record<string, string>} */
export const KINDS = { PER: "person", LOC: "town", ORG: "named place" };

/** What each head does, and which fine-tuned model has it. */
export const TASKS = {
  sentiment: {
    title: "Sentiment",
    file: "sentiment",
    about: "One label for the whole text, read at [CLS].",
  },
  entities: {
    title: "Entities",
    file: "entities",
    about: "A label for each word, read at its first piece.",
  },
  question: {
    title: "Question",
    file: "spans",
    about:
      "Two scores for each token: does the answer start here, and does it end here? The span " +
      "with the highest sum is the answer, unless [CLS] scores higher.",
  },
};

/** Texts of the model's world with questions about them; the last two have other words. */
export const EXAMPLES = [
  {
    name: "A splendid day",
    text:
      "Nora came to the library in Lille on a splendid Tuesday. The library was called the " +
      "Copper Goose, and Nora loved it.",
    questions: [
      "When was Nora at the library in Lille?",
      "What was the library in Lille called?",
      "When was Hugo at the zoo in Bonn?",
    ],
  },
  {
    name: "A dreary day",
    text:
      "Hugo came to the castle in Ghent on a dreary Friday. The castle was called the Silver " +
      "Heron, and Hugo hated it.",
    questions: [
      "In which town was Hugo at the castle?",
      "What was the castle in Ghent called?",
      "Who was at the zoo in Bonn?",
    ],
  },
  {
    name: "A short story",
    text:
      "Petra wrote to Nils about the shabby hotel. Petra spent an awful Monday at the hotel in " +
      "Odense. Petra sighed at the Whistling Walrus, a terrible hotel in Odense.",
    questions: [
      "Where was the hotel that Petra saw on Monday?",
      "What was the hotel that Petra saw called?",
      "When was Otto at the zoo in Graz?",
    ],
  },
  {
    name: "Not lovely",
    text: "The hotel was not lovely, said Nora.",
    questions: ["Who was at the hotel?"],
  },
  {
    name: "Elsewhere",
    text: "The movie was great, said Marie Curie in Warsaw.",
    questions: ["Where was Marie Curie?"],
  },
];

/** @type {State} */
export const START = {
  task: "sentiment",
  text: EXAMPLES[0].text,
  question: EXAMPLES[0].questions[0],
};

/**
 * @param {string} name
 * @returns {name is Task}
 */
export const isTask = (name) => Object.hasOwn(TASKS, name);

/**
 * The state of a link; what it lacks stays as it is.
 * @param {URLSearchParams} parameters
 * @param {State} before
 * @returns {State}
 */
export function readState(parameters, before) {
  const task = parameters.get("task") ?? "";
  return {
    task: isTask(task) ? task : before.task,
    text: parameters.get("text") ?? before.text,
    question: parameters.get("question") ?? before.question,
  };
}

// The input, and what is read from it

/**
 * The text; behind the question, which stays whole, where there is one to answer.
 * @param {Pick<Model, "tokenizer" | "longest">} model
 * @param {State} state
 * @returns {Input}
 */
export function encode({ tokenizer, longest }, { task, text, question }) {
  return task === "question"
    ? tokenizer.encode(question, text, { longest, keepA: true })
    : tokenizer.encode(text, null, { longest });
}

/** Where the part of the text ends that is read, with [SEP] behind it. */
export const endOf = (/** @type {Input} */ { tokens }) => tokens[tokens.length - 2].reach;

/**
 * @param {Task} task
 * @param {Pick<Model, "bert" | "labels">} model
 * @param {Input} input With something to read, see `whatIsMissing`.
 * @returns {Reading}
 */
export function read(task, { bert, labels }, { ids, segments, tokens }) {
  const hidden = bert.encode(ids, segments);
  if (task === "sentiment") {
    const shares = softmax(bert.classify(hidden));
    return { task, classes: labels.map((label, n) => ({ label, share: shares[n] })) };
  }
  if (task === "entities") {
    const scores = bert.labelTokens(hidden);
    return { task, entities: decodeEntities(scores, findWords(tokens), labels) };
  }
  const { span, none, answered } = decodeAnswer(bert.spans(hidden), tokens);
  return { task, span: /** @type {Answer["span"]} */ (span), none, answered };
}

/**
 * @param {Reading} reading
 * @param {string} text
 */
export function inWords(reading, text) {
  if (reading.task === "sentiment") {
    const [{ label, share }] = [...reading.classes].sort((a, b) => b.share - a.share);
    return `${label}, ${probability(share)}`;
  }
  if (reading.task === "entities") {
    const named = reading.entities.map(
      ({ start, end, kind }) => `${text.slice(start, end)}, ${KINDS[kind]}`,
    );
    return named.join("; ") || "no entity";
  }
  const { span, answered } = reading;
  return answered ? text.slice(span.start, span.end) : "no answer";
}

/**
 * What is read aloud of both models' readings.
 * @param {Reading[]} readings
 * @param {string} text
 */
export function bothInWords(readings, text) {
  const [before, after] = readings.map((reading) => clip(inWords(reading, text), 200));
  return `Before fine-tuning: ${before}. After: ${after}.`;
}

// Remarks on the input

/**
 * What keeps the model from reading; null if nothing does.
 * @param {Input} input
 * @param {{task: Task}} state
 */
export function whatIsMissing({ tokens, cut }, { task }) {
  const has = (/** @type {number} */ wanted) =>
    tokens.some((token) => token.segment === wanted && !token.structural);
  if (task !== "question") return has(0) ? null : "Type a text to read.";
  if (!has(0)) return "Type a question to answer.";
  if (has(1)) return null;
  return cut
    ? "The question is so long that it leaves no room for the text."
    : "Type a text to look for the answer in.";
}

/**
 * What a reader should know about this input, in sentences; usually none.
 * @param {Input} input
 * @param {State} state
 */
export const remarksOn = (input, state) =>
  [whatIsCut(input, state), whatIsNew(input, state)].filter((words) => words !== null);

/**
 * @param {Input} input
 * @param {State} state
 */
function whatIsCut({ tokens, cut }, { text }) {
  if (!cut) return null;
  const words = findWords(tokens);
  const { start, end } = words[words.length - 1];
  const last = clip(text.slice(start, end), 20);
  return `The model reads at most ${tokens.length} tokens; it read your text up to “${last}”.`;
}

/**
 * The words that the model has never met, if there are any.
 * @param {Input} input
 * @param {State} state
 */
function whatIsNew({ tokens }, { task, text, question }) {
  const sources = task === "question" ? [question, text] : [text]; // by segment
  const words = findWords(tokens)
    .filter(isForeign)
    .map(({ at, start, end }) => sources[tokens[at].segment].slice(start, end));
  const distinct = [...new Set(words)].map((word) => `“${clip(word, 20)}”`);
  if (distinct.length === 0) return null;
  const few = distinct.slice(0, 4).join(", ") + (distinct.length > 4 ? " and more" : "");
  return `The model has never met ${few}. Its world is small, and outside it, it only guesses.`;
}

/**
 * Words of at most so many characters.
 * @param {string} words
 * @param {number} most
 */
export function clip(words, most) {
  const chars = [...words.slice(0, 2 * most + 2)]; // none is cut in two
  return chars.length > most ? `${chars.slice(0, most - 1).join("")}…` : words;
}
