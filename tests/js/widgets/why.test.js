import assert from "node:assert/strict";
import { test } from "node:test";
import { Tokenizer } from "../../../docs/assets/bert/tokenizer.js";
import {
  appearance,
  compare,
  encode,
  findingsOf,
  guessOf,
  isCoverable,
  logOdds,
  momentOf,
  signed,
  verdictOn,
} from "../../../docs/assets/widgets/why/model.js";
import { EXAMPLES, readState, START } from "../../../docs/assets/widgets/why/state.js";
import { allOf, markup } from "../page.js";

const { attentionTable, differencesTable, layersView, tokensWith } = await import(
  "../../../docs/assets/widgets/why/view.js"
);

const TOKENS = ["[CLS]", "ada", "met", "[MASK]", "[SEP]"].map((piece) => ({
  piece,
  structural: /CLS|SEP/.test(piece),
}));
const WHAT = "the guess “otto”";
/** @param {number[]} changes Of ada and met. */
const covered = (...changes) => changes.map((change, n) => ({ place: n + 1, change }));
/** @param {number[][]} rows */
const heads = (...rows) => rows.map((row) => new Float32Array(row));

test("log-odds of one class, and of several that must all hold", () => {
  const scores = [0.75, 0.25].map(Math.log);
  assert.ok(Math.abs(logOdds([{ scores, at: 0 }]) - Math.log(3)) < 1e-12);
  assert.ok(Math.abs(logOdds([{ scores, at: 1 }]) + Math.log(3)) < 1e-12);
  const both = [0, 1].map((at) => ({ scores, at })); // 3/16, so odds of 3 to 13
  assert.ok(Math.abs(logOdds(both) - Math.log(3 / 13)) < 1e-12);
});

test("log-odds stay exact where probabilities round", () => {
  assert.ok(Math.abs(logOdds([{ scores: [60, 0], at: 0 }]) - 60) < 1e-9);
  assert.ok(Math.abs(logOdds([{ scores: [900, 0], at: 1 }]) + 900) < 1e-9);
});

test("a token of the text can be covered, a structural or masked one cannot", () => {
  assert.deepEqual(TOKENS.map(isCoverable), [false, true, true, false, false]);
});

test("the needed token and the attended one are told apart", () => {
  const found = compare(covered(-2, 0.5), heads([0.9, 0, 0.1, 0, 0], [0, 0.3, 0.7, 0, 0]));
  assert.equal(found.needed.place, 1);
  assert.equal(found.looked.place, 2); // [CLS] has more attention, but is no token of the text
  assert.equal(found.agreeing, 0);
  assert.equal(
    verdictOn(found, TOKENS, WHAT),
    "They disagree: covering “ada” hurts the guess “otto” most (−2.0), but it is first in none " +
      "of the 2 heads; most attention goes to “met” (40% on average), and covering that changes " +
      "it by +0.5.",
  );
});

test("where they agree, and where nothing is needed", () => {
  const agree = compare(covered(-2, 0), heads([0, 0.6, 0.4, 0, 0]));
  assert.equal(
    verdictOn(agree, TOKENS, WHAT),
    "They agree: covering “ada” hurts the guess “otto” most (−2.0), and the heads attend most to " +
      "it, 60% on average.",
  );
  const idle = compare(covered(-0.2, 1), heads([0, 0.6, 0.4, 0, 0]));
  assert.match(verdictOn(idle, TOKENS, WHAT), /^They disagree: no single token is needed/);
  const some = compare(covered(-2, 0), heads([0, 0.1, 0.9, 0, 0], [0, 0.6, 0.4, 0, 0]));
  assert.match(verdictOn(some, TOKENS, WHAT), /first in 1 of the 2 heads/);
});

/** @param {number[]} ranks */
const layers = (...ranks) => ({
  guess: "otto",
  layers: ranks.map((rank, n) => ({
    name: n ? `After layer ${n}` : "Embeddings",
    rank,
    ranked: ["nora", "otto", "ada", "emil", "hugo", "olga"].map((piece) => ({
      piece,
      share: 1 / 6,
    })),
  })),
});

test("when a guess appears is counted from the end", () => {
  assert.match(appearance(layers(0, 0, 0)), /leads from the start/);
  assert.match(appearance(layers(5, 0, 0)), /leads after layer 1; at the embeddings .* rank 6/);
  assert.match(appearance(layers(0, 1, 0)), /only after the last layer; after layer 1 .* rank 2/);
});

test("a moment has guesses of its own, and the rank of the guess at the end", () => {
  const tokenizer = { pieces: ["the", "ada", "otto"] };
  /** @param {number[]} scores */
  const like = (scores) => ({
    bert: { encode: () => [], maskedLM: () => [new Float32Array(scores)] },
    tokenizer,
  });
  const [early, trained] = [like([Math.log(6), Math.log(3), 0]), like([0, 1, 2])];
  const input = { ids: [0], segments: [0] };
  const found = momentOf(/** @type {any} */ (early), /** @type {any} */ (trained), input, 0);
  assert.equal(found.guess, "otto");
  assert.deepEqual(
    found.ranked.map(({ piece }) => piece),
    ["the", "ada", "otto"],
  );
  assert.ok(Math.abs(found.ranked[0].share - 0.6) < 1e-6);
  assert.equal(
    guessOf(found, "After 50 steps"),
    "After 50 steps, the guess is “the”, 60%; “otto”, its guess at the end, has rank 3.",
  );
  const last = momentOf(/** @type {any} */ (trained), /** @type {any} */ (trained), input, 0);
  assert.equal(guessOf(last, "After 9 steps"), "After 9 steps, the guess is “otto”, 67%.");
});

test("a layer shows the first guesses, and the final one below if it is not among them", () => {
  const drawn = layersView(layers(5, 1, 0));
  const [embeddings, first] = allOf(drawn, "why-layer");
  assert.match(embeddings.textContent ?? "", /✓ otto: rank 6 of 6, 16.7%/);
  assert.match(first.textContent ?? "", /✓ otto/);
  assert.doesNotMatch(first.textContent ?? "", /rank/);
});

test("a change has a sign, unless it rounds to nothing", () => {
  assert.deepEqual([-6.84, 0.31, -0.04, 0].map(signed), ["−6.8", "+0.3", "0.0", "0.0"]);
});

test("a link brings what it has; what is unknown or no number is none", () => {
  /** @param {string} parameters */
  const brought = (parameters) => readState(new URLSearchParams(parameters), START);
  assert.deepEqual(brought("tab=texts&text=a&other=b&which=1&moment=3"), {
    ...START,
    tab: "texts",
    text: "a",
    other: "b",
    which: 1,
    moment: 3,
  });
  assert.equal(brought("moment=-1").moment, 0);
  for (const odd of ["tab=toString", "task=__proto__", "which=-1", "which=x", "which=1.5"]) {
    assert.deepEqual(brought(odd), START);
  }
});

test("each example that has a second text changes a word of the first", () => {
  for (const { state } of EXAMPLES.filter(({ state: { other } }) => other)) {
    assert.notEqual(state.text, state.other);
    assert.ok(state.text?.includes("[MASK]") && state.other?.includes("[MASK]"));
  }
});

test("changes stand on the tokens, coloured by sign and size", () => {
  const drawn = tokensWith(TOKENS, covered(-4, 1));
  const [needed] = allOf(drawn, "token why-needed");
  assert.equal(needed.textContent, "ada −4.0");
  assert.equal(needed.style.cssText, "--share: 35%");
  const [against] = allOf(drawn, "token why-against");
  assert.equal(against.textContent, "met +1.0");
  assert.equal(against.style.cssText, "--share: 9%");
  assert.equal(allOf(drawn, "masked")[0].textContent, "▢ [MASK]");
  assert.equal(allOf(drawn, "token").length, TOKENS.length);
  const small = tokensWith(TOKENS, covered(-0.1, 0));
  assert.equal(allOf(small, "why-needed")[0].style.cssText, "--share: 4%", "1 is the least scale");
});

test("the table has a column for each head, and marks the token that it attends to most", () => {
  const rows = heads([0.5, 0.3, 0.2, 0, 0], [0, 0.1, 0.9, 0, 0]);
  const drawn = attentionTable(TOKENS, covered(-4, 1), rows, 2, 3);
  assert.deepEqual(
    allOf(drawn, "most").map(({ textContent }) => textContent),
    ["30", "90"],
    "[CLS] is not among the tokens that can be covered",
  );
  assert.equal(allOf(drawn, "here")[0].textContent, "[MASK]00");
  assert.match(markup(drawn), /Attention from \[MASK\] in each head.*layer 1.*layer 2/);
});

test("two texts are compared piece by piece", () => {
  const found = Array.from({ length: 12 }, (_, n) => ({
    piece: `word${n}`,
    change: -n,
    before: 0.5,
    after: 0.00001,
  }));
  const drawn = markup(differencesTable(found));
  assert.match(drawn, /word3.*−3.0.*50.0%.*<0.1%/);
  assert.match(drawn, /word9/);
  assert.doesNotMatch(drawn, /word10/);
});

const tokenizer = new Tokenizer(
  "[UNK] [CLS] [SEP] [MASK] who nora berg met in graz . ?".split(" "),
);
const LABELS = ["O", "B-PER", "I-PER"];
const TEXT = "Nora Berg met [MASK].";

/**
 * What is found by a model that gives these scores.
 * @param {Parameters<typeof findingsOf>[0]} task
 * @param {(place: number) => number[]} scoresAt
 */
function found(task, scoresAt) {
  const input = encode(
    { tokenizer, longest: 20 },
    { ...START, task, text: TEXT, question: "Who?" },
  );
  const rows = input.ids.map((_, place) => scoresAt(place));
  const bert = /** @type {any} */ ({
    encode: () => new Float32Array(),
    labelTokens: () => rows,
    maskedLM: (/** @type {any} */ _, /** @type {number[]} */ places) => places.map(scoresAt),
    spans: () => ({ start: rows.map(([start]) => start), end: rows.map(([, end]) => end) }),
  });
  return findingsOf(task, { bert, tokenizer, labels: LABELS }, input, TEXT);
}

test("an entity is found at all of its words", () => {
  assert.deepEqual(
    found("entities", (place) => [0.5, Number(place === 1), Number(place === 2)]),
    [
      {
        name: "Nora Berg, person",
        place: 1,
        choices: [
          { row: 1, at: 1 },
          { row: 2, at: 2 },
        ],
      },
    ],
  );
});

test("an answer is found where it starts and where it ends, no answer at [CLS]", () => {
  // [CLS] who ? [SEP] nora berg met [MASK] . [SEP]
  const [answer] = found("question", (place) => [Number(place === 4), Number(place === 5)]);
  assert.deepEqual(answer, {
    name: "Nora Berg",
    place: 4,
    choices: [
      { row: 0, at: 4 },
      { row: 1, at: 5 },
    ],
  });
  const [none] = found("question", (place) => [Number(place === 0), Number(place === 0)]);
  assert.equal(none.name, "no answer");
  assert.deepEqual([none.place, ...none.choices], [0, { row: 0, at: 0 }, { row: 1, at: 0 }]);
});

test("a guess is found at each [MASK]", () => {
  const [guess, ...others] = found("guess", () => [0, 0, 0, 0, 0, 1]);
  assert.deepEqual(guess, { name: "nora", place: 4, choices: [{ row: 0, at: 5 }] });
  assert.deepEqual(others, []);
});
