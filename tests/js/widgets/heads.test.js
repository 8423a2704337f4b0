import assert from "node:assert/strict";
import { test } from "node:test";
import { Tokenizer } from "../../../docs/assets/bert/tokenizer.js";
import {
  bothInWords,
  clip,
  EXAMPLES,
  encode,
  endOf,
  inWords,
  read,
  readState,
  remarksOn,
  START,
  whatIsMissing,
} from "../../../docs/assets/widgets/heads/model.js";
import { allOf, markup } from "../page.js";

const { columns, legend } = await import("../../../docs/assets/widgets/heads/view.js");

const PIECES = "[UNK] [CLS] [SEP] who met anna ##s in lille x ##y .";
const model = { tokenizer: new Tokenizer(PIECES.split(" ")), longest: 8 };

/** @typedef {import("../../../docs/assets/widgets/heads/model.js").Reading} Reading */
/** @typedef {import("../../../docs/assets/widgets/heads/model.js").State} State */

/** @type {(changes: Partial<State>) => State} */
const state = (changes) => ({ ...START, text: "Anna met.", question: "Who?", ...changes });

/** @type {Reading} */
const SENTIMENT = {
  task: "sentiment",
  classes: [
    { label: "bad", share: 0.25 },
    { label: "good", share: 0.75 },
  ],
};
const TEXT = "Anna in Lille.";
/** @type {Reading} */
const ENTITIES = {
  task: "entities",
  entities: [
    { start: 0, end: 4, kind: "PER" },
    { start: 8, end: 13, kind: "LOC" },
  ],
};
/** @type {Reading} */
const ANSWER = {
  task: "question",
  span: { start: 8, end: 13, score: -1.5 },
  none: -2,
  answered: true,
};
/** @type {Reading} */
const NO_ANSWER = { ...ANSWER, none: 3, answered: false };

test("a link brings what it has; an unknown task is none", () => {
  /** @param {string} parameters */
  const brought = (parameters) => readState(new URLSearchParams(parameters), START);
  assert.deepEqual(brought("task=question&text=a"), { ...START, task: "question", text: "a" });
  assert.deepEqual(brought("question="), { ...START, question: "" });
  for (const task of ["__proto__", "toString", "", "Sentiment"]) {
    assert.deepEqual(brought(`task=${task}`), START);
  }
});

test("each example has questions", () => {
  assert.ok(EXAMPLES.every(({ text, questions }) => text && questions.length));
});

test("a question stands before the text and stays whole", () => {
  const long = "anna met anna in lille";
  const alone = encode(model, state({ text: long }));
  assert.equal(
    alone.tokens.map(({ piece }) => piece).join(" "),
    "[CLS] anna met anna in lille [SEP]",
  );
  const asked = encode(model, state({ text: long, task: "question" }));
  assert.equal(
    asked.tokens.map(({ piece }) => piece).join(" "),
    "[CLS] who [UNK] [SEP] anna met anna [SEP]",
  );
  assert.equal(asked.cut, true);
  assert.equal(long.slice(0, endOf(asked)), "anna met anna");
});

test("each task is read from its own head", () => {
  const asked = state({ text: "Annas in Lille", task: "question" });
  const { tokens } = encode({ ...model, longest: 16 }, asked);
  const bert = {
    encode: () => "hidden",
    classify: () => [0, Math.log(3)],
    labelTokens: () =>
      tokens.map(({ piece }) => [0, Number(piece === "anna"), Number(piece === "lille")]),
    spans: () => ({
      start: tokens.map(({ piece }) => (piece === "lille" ? 2 : 0)),
      end: tokens.map(({ piece }) => (piece === "lille" ? 1 : 0)),
    }),
  };
  const input = { tokens, ids: [], segments: [], cut: false };
  /** @type {(task: State["task"], labels: string[]) => any} */
  const reading = (task, labels) => read(task, /** @type {any} */ ({ bert, labels }), input);
  const { classes } = reading("sentiment", ["bad", "good"]);
  assert.deepEqual(
    classes.map((/** @type {{label: string, share: number}} */ { label, share }) => [
      label,
      share.toFixed(2),
    ]),
    [
      ["bad", "0.25"],
      ["good", "0.75"],
    ],
  );
  assert.deepEqual(reading("entities", ["O", "B-PER", "B-LOC"]).entities, [
    { start: 0, end: 5, kind: "PER" },
    { start: 9, end: 14, kind: "LOC" },
  ]);
  assert.deepEqual(reading("question", []), {
    task: "question",
    span: { start: 9, end: 14, score: 3 },
    none: 0,
    answered: true,
  });
});

test("a reading in words", () => {
  assert.equal(inWords(SENTIMENT, TEXT), "good, 75.0%");
  assert.equal(inWords(ENTITIES, TEXT), "Anna, person; Lille, town");
  assert.equal(inWords({ task: "entities", entities: [] }, TEXT), "no entity");
  assert.equal(inWords(ANSWER, TEXT), "Lille");
  assert.equal(inWords(NO_ANSWER, TEXT), "no answer");
  assert.equal(
    bothInWords([NO_ANSWER, ANSWER], TEXT),
    "Before fine-tuning: no answer. After: Lille.",
  );
});

test("what is missing is asked for", () => {
  /** @param {Partial<State>} changes */
  const missing = (changes) => whatIsMissing(encode(model, state(changes)), state(changes));
  assert.equal(missing({}), null);
  assert.equal(missing({ text: " \n" }), "Type a text to read.");
  const task = "question";
  assert.equal(missing({ task }), null);
  assert.equal(missing({ task, question: "" }), "Type a question to answer.");
  assert.equal(missing({ task, text: "" }), "Type a text to look for the answer in.");
  assert.match(missing({ task, question: "who ".repeat(9) }) ?? "", /leaves no room/);
});

test("remarks say what was cut off and what the model has never met", () => {
  /** @param {Partial<State>} changes */
  const remarks = (changes) => remarksOn(encode(model, state(changes)), state(changes));
  assert.deepEqual(remarks({}), []);
  assert.deepEqual(remarks({ text: "anna ".repeat(9) }), [
    "The model reads at most 8 tokens; it read your text up to “anna”.",
  ]);
  assert.match(remarks({ text: "Xy met § xy" })[0], /^The model has never met “Xy”, “§”, “xy”\./);
  assert.match(remarks({ text: "xy met xy" })[0], /never met “xy”\./);
  assert.match(remarks({ text: "a b c d e" })[0], /“a”, “b”, “c”, “d” and more\./);
  assert.match(
    remarks({ text: "Anna", question: "Zoe", task: "question" })[0],
    /never met “Zoe”\./,
  );
});

test("words are clipped between characters", () => {
  assert.equal(clip("abcde", 5), "abcde");
  assert.equal(clip("abcdef", 5), "abcd…");
  assert.equal(clip("🦆🦆🦆", 2), "🦆…");
});

test("both columns have the text with its marks, and what was not read", () => {
  const [before, after] = columns([ENTITIES, ENTITIES], `${TEXT} And more`, 14);
  assert.equal(before.getAttribute("aria-label"), "Before fine-tuning");
  assert.equal(after.getAttribute("aria-label"), "After fine-tuning");
  const [text] = allOf(after, "heads-text");
  assert.equal(text.textContent, "Anna\u00a0PER in Lille\u00a0LOC. not read: And more");
  assert.deepEqual(
    allOf(text, "loc").map(({ textContent }) => textContent),
    ["Lille\u00a0LOC"],
  );
  const [whole] = columns([{ task: "entities", entities: [] }], `${TEXT}`, 13);
  assert.equal(allOf(whole, "heads-text")[0].textContent, TEXT, "a full stop needs no remark");
});

test("the higher score wins, and marks its answer", () => {
  const [answered, declined] = columns([ANSWER, NO_ANSWER], TEXT, TEXT.length);
  /** @param {HTMLElement} column */
  const winners = (column) => allOf(column, "wins").map(({ textContent }) => textContent);
  assert.deepEqual(winners(answered), ["“Lille”−1.50✓ higher"]);
  assert.deepEqual(winners(declined), ["no answer, at [CLS]3.00✓ higher"]);
  assert.deepEqual(
    allOf(answered, "answer").map(({ textContent }) => textContent),
    ["Lille"],
  );
  assert.deepEqual(allOf(declined, "answer"), []);
});

test("classes are bars; the kinds of entities are explained", () => {
  const [column] = columns([SENTIMENT], TEXT, TEXT.length);
  assert.deepEqual(
    allOf(column, "bar").map(({ textContent }) => textContent),
    ["bad25.0%", "good75.0%"],
  );
  assert.match(markup(legend()), /<b class="org">ORG<\/b> named place /);
});
