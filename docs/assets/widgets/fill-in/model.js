/** What the fill-in widget computes: guesses, remarks, what stays hidden. No page is needed. */

import { findWords, isForeign, ranking } from "../../bert/decode.js";
import { softmax } from "../../bert/scores.js";
import { words } from "../../bert/tokenizer.js";
import { probability } from "../numbers.js";

/** @typedef {import("../../bert/tokenizer.js").Piece} Piece */

/**
 * What the model says at one position.
 * @typedef {object} Guess
 * @property {number} place
 * @property {{piece: string, share: number}[]} ranked All pieces, the most likely one first.
 * @property {number | null} truth The rank of the hidden token; null if [MASK] was typed.
 */

export const MASK = "[MASK]";

const VISIT =
  "Felix spent a pleasant Thursday at the museum in Lille. " +
  "Felix wrote to Beatrix about the charming museum.";
/** @type {{name: string, text: string, hidden: number[], say: string}[]} */
export const EXAMPLES = [
  {
    name: "A name given twice",
    text: VISIT,
    hidden: [12],
    say: "The previous sentence has the same name, and the model finds it there.",
  },
  {
    name: "A name given once",
    text: VISIT,
    hidden: [15],
    say: "Nothing shows who it was. The model knows that a person is missing, but not which one.",
  },
  {
    name: "A mood",
    text:
      "Emil hated the bakery for its boring baker. " +
      "The cake of the bakery was awful, and Emil yawned.",
    hidden: [2, 20],
    say:
      "Several words fit, so they share the probability. Now change “boring” and “awful” to " +
      "“lovely”: the mood of the guesses changes, too.",
  },
  {
    name: "Another world",
    text: `Paris is the capital of ${MASK}.`,
    hidden: [],
    say:
      "The model has never read about countries. It can only go by what followed “of” in its " +
      "stories.",
  },
];

/**
 * [CLS], the words, [SEP]; without ids, which are not known before the model has loaded.
 * @param {string} text
 * @returns {Piece[]}
 */
export function wordsAsTokens(text) {
  const unknown = { id: -1, reach: 0 };
  const edge = (/** @type {string} */ piece) => {
    return { piece, start: 0, end: 0, structural: true, ...unknown };
  };
  const between = [...words(text)].map(({ chars, start, end }) => {
    return { piece: chars.join(""), start, end, ...unknown };
  });
  return [edge("[CLS]"), ...between, edge("[SEP]")];
}

/**
 * Whether the reader can hide a token.
 * @param {Piece | undefined} token
 */
export const canBeHidden = (token) =>
  token !== undefined && !token.structural && token.piece !== MASK;

/**
 * What the model says at these positions, which it sees as [MASK].
 * @param {import("../../bert/model.js").Model} model
 * @param {Piece[]} tokens
 * @param {number[]} places
 * @param {Set<number>} hidden Those that the reader has hidden, not typed.
 * @returns {Guess[]}
 */
export function guessesOf({ bert, tokenizer }, tokens, places, hidden) {
  const mask = /** @type {number} */ (tokenizer.ids.get(MASK));
  const seen = tokens.map(({ id }, place) => (places.includes(place) ? mask : id));
  const segments = tokens.map(() => 0);
  return bert.maskedLM(bert.encode(seen, segments), places).map((scores, n) => {
    const shares = softmax(scores);
    const ids = ranking(shares);
    const ranked = ids.map((id) => ({ piece: tokenizer.pieces[id], share: shares[id] }));
    const truth = hidden.has(places[n]) ? ids.indexOf(tokens[places[n]].id) : null;
    return { place: places[n], ranked, truth };
  });
}

/**
 * How the page "Why this guess?" is asked about one of these guesses; null if it cannot be, since
 * the rest of a hidden word would be read as another word.
 * @param {string} text
 * @param {Piece[]} tokens
 * @param {number[]} places All that the model sees as [MASK].
 * @param {number} place
 */
export function askWhy(text, tokens, places, place) {
  if (places.some((hidden) => tokens[hidden + 1].piece.startsWith("##"))) return null;
  let [asked, at] = ["", 0];
  for (const hidden of places) {
    const { start, end } = tokens[hidden];
    asked += text.slice(at, start) + MASK;
    at = end;
  }
  return { text: asked + text.slice(at), which: places.indexOf(place) };
}

/**
 * The hidden positions after an edit: those before it and after it stay hidden.
 * @param {Set<number>} hidden
 * @param {{piece: string}[]} before
 * @param {{piece: string}[]} now
 */
export function follow(hidden, before, now) {
  const differs = (/** @type {number} */ at) => before.at(at)?.piece !== now.at(at)?.piece;
  const most = Math.min(before.length, now.length);
  let same = 0; // at the beginning
  while (same < most && !differs(same)) same++;
  let last = 0; // at the end
  while (last < most - same && !differs(-1 - last)) last++;
  return [...hidden]
    .filter((place) => place < same || place >= before.length - last)
    .map((place) => (place < same ? place : place + now.length - before.length));
}

/**
 * What a reader should know about this text, in sentences; usually none.
 * @param {string} text
 * @param {Piece[]} tokens
 * @param {number} vocabulary How many pieces it has.
 * @param {number} cutAt The most tokens that the model reads, if the text was longer; else 0.
 */
export function remarksOn(text, tokens, vocabulary, cutAt) {
  const said = [];
  if (tokens.length === 2) said.push("There is no token yet: write a word or two.");
  if (cutAt) {
    const end = text.slice(0, tokens[tokens.length - 2].end).slice(-15);
    said.push(
      `The model reads at most ${cutAt} tokens, including [CLS] and [SEP]: ` +
        `the text is cut off after “…${end}”.`,
    );
  }
  const { spelled, unknown } = strangers(text, tokens);
  if (spelled.length + unknown.length) {
    const how = [
      spelled.length && `${list(spelled)} split into single letters`,
      unknown.length && `${list(unknown)} read as [UNK], unknown`,
    ];
    said.push(
      "Some words are outside the model’s world, so expect poor guesses. Its vocabulary is " +
        `${vocabulary} pieces from the stories that it was trained on. ` +
        `${how.filter(Boolean).join("; ")}.`,
    );
  }
  return said;
}

/**
 * The words outside the model's vocabulary: those split into letters, and those unknown.
 * @param {string} text
 * @param {Piece[]} tokens
 */
function strangers(text, tokens) {
  /** @type {[Set<string>, Set<string>]} */
  const [spelled, unknown] = [new Set(), new Set()];
  for (const { start, end, pieces } of findWords(tokens).filter(isForeign)) {
    (pieces[0] === "[UNK]" ? unknown : spelled).add(text.slice(start, end));
  }
  return { spelled: [...spelled], unknown: [...unknown] };
}

/**
 * “a” is, “a” and “b” are, “a”, “b”, “c” and 7 more are.
 * @param {string[]} names
 */
export function list(names, most = 4) {
  const shown = names.slice(0, most).map((name) => {
    const chars = [...name];
    return chars.length > 20 ? `“${chars.slice(0, 19).join("")}…”` : `“${name}”`;
  });
  if (names.length > most) shown.push(`${names.length - most} more`);
  if (shown.length === 1) return `${shown[0]} is`;
  return `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)} are`;
}

/**
 * A guess as it is read aloud.
 * @param {Guess} guess
 */
export function inWords({ ranked, truth }) {
  const what = truth === null ? MASK : `${ranked[truth].piece} hidden`;
  return `${what}: the model says ${ranked[0].piece}, ${probability(ranked[0].share)}`;
}
