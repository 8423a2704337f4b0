import assert from "node:assert/strict";
import { test } from "node:test";
import { Tokenizer } from "../../../docs/assets/bert/tokenizer.js";
import {
  foreign,
  remarksOn,
  whatIsMissing,
} from "../../../docs/assets/widgets/fine-tuning/remarks.js";
import {
  EMPTY,
  MOST,
  readMaterial,
  readSet,
  sentenceOf,
  setAside,
  wordsOf,
  writeSet,
} from "../../../docs/assets/widgets/fine-tuning/sets.js";
import "../page.js";

const { encode, inWords, split, truthOf } = await import(
  "../../../docs/assets/widgets/fine-tuning/run.js"
);
const { answerOf, choicesOf, whatCame } = await import(
  "../../../docs/assets/widgets/fine-tuning/guess.js"
);

/** @typedef {import("../../../docs/assets/widgets/fine-tuning/sets.js").LabelledSet} LabelledSet */

const PIECES = "[UNK] [CLS] [SEP] anna ##s met in the blue bird , . z ##o".split(" ");
const model = { tokenizer: new Tokenizer(PIECES), longest: 8 };

/** @type {(text: string, label?: number, marks?: number[]) => LabelledSet["rows"][number]} */
const row = (text, label = 0, marks = []) => ({ text, label, marks });

/** @type {(rows: LabelledSet["rows"], changes?: Partial<LabelledSet>) => LabelledSet} */
const setOf = (rows, changes = {}) => ({ kinds: ["happy", "sad"], ready: false, rows, ...changes });

/** Alternating labels. */
const many = (/** @type {number} */ count) =>
  setOf(Array.from({ length: count }, (_, n) => row(`Sentence ${n}.`, n % 2)));

const ONE_KIND = { kinds: ["place"] };

const READY = {
  kinds: ["no", "yes"],
  rates: [1, 2],
  draws: 5,
  measured: { 4: [0.7, 0.5], 8: [0.92, 0.6], 16: [0.98, 0.6] },
  labelled: [{ text: "Anna met.", label: 1 }],
  heldOut: [{ text: "The bird.", label: 0 }],
};
const WORDS = {
  ...READY,
  kinds: ["person"],
  labelled: [{ text: "In the Blue Bird, Anna.", spans: [[7, 16]] }],
  heldOut: [{ text: "Met Anna.", spans: [[4, 8]] }],
};
const DATA = { steps: 40, range: 0.05, sentences: READY, words: WORDS, stories: ["In the bird."] };

test("words are all but punctuation", () => {
  const text = "“Anna's” bird, 7!";
  const found = wordsOf(text).map(({ start, end }) => text.slice(start, end));
  assert.deepEqual(found, ["Anna", "s", "bird", "7"]);
  assert.deepEqual(wordsOf(" … "), []);
});

test("the build's file gives both ready sets, with spans as marked words", () => {
  const { sentences, words, stories } = readMaterial(DATA);
  assert.deepEqual(sentences.labelled, [row("Anna met.", 1)]);
  assert.deepEqual(words.labelled[0].marks, [2, 3]);
  assert.deepEqual(words.heldOut[0].marks, [1]);
  assert.deepEqual(stories, ["In the bird."]);
});

test("a damaged file of the build is said plainly", () => {
  const wrong = { ...READY, labelled: [{ text: "Anna.", label: 2 }] };
  for (const data of [null, [], "x", {}, { ...DATA, words: 0 }, { ...DATA, sentences: wrong }]) {
    assert.throws(() => readMaterial(data), /fine-tuning\.json is damaged/);
  }
});

test("a set survives its way through a link", () => {
  const sentences = many(5);
  const words = setOf([row("The blue bird.", 0, [1, 2])], { ...ONE_KIND, ready: true });
  for (const [task, set] of /** @type {const} */ ([
    ["sentences", sentences],
    ["words", words],
  ])) {
    const read = readSet(JSON.parse(JSON.stringify(writeSet(task, set))));
    assert.deepEqual(read, { task, set });
  }
});

test("what is no set opens nothing", () => {
  const good = writeSet("sentences", many(3));
  const wrong = [
    null,
    7,
    "sentences",
    [],
    {},
    { ...good, task: "toString" },
    { ...good, kinds: ["one"] },
    { ...good, kinds: ["1", "2", "3", "4", "5"] },
    { ...good, kinds: "ab" },
    { ...good, rows: { length: 3 } },
    { ...good, rows: [["text", 2]] },
    { ...good, rows: [["text", -1]] },
    { ...good, rows: [["text", "0"]] },
    { ...good, rows: [["  ", 0]] },
    { ...good, rows: [null] },
    { ...good, task: "words" },
    { ...good, task: "words", kinds: ["place"] },
    { ...good, task: "words", kinds: ["place"], rows: [["two words", [2]]] },
  ];
  for (const data of wrong) assert.equal(readSet(data), null, JSON.stringify(data));
});

test("what is too long or too much is cut", () => {
  const { set } = readSet({ ...writeSet("sentences", many(40)), kinds: ["k".repeat(99), "b"] }) ?? {
    set: EMPTY.sentences,
  };
  assert.equal(set.rows.length, MOST);
  assert.equal(set.kinds[0].length, 24);
  assert.equal(sentenceOf(` a\n  b ${"c".repeat(999)}`).length, 300);
  assert.equal(sentenceOf(" a\n  b "), "a b");
});

test("each fourth sentence of a class is held out, of own sets that are large enough", () => {
  assert.equal(setAside("sentences", many(7)).size, 0);
  const set = many(16);
  const aside = [...setAside("sentences", set)];
  assert.deepEqual(
    aside.map(({ label }) => label),
    [0, 0, 1, 1],
  );
  assert.equal(setAside("sentences", { ...set, ready: true }).size, 0);
  const words = setOf(
    Array.from({ length: 8 }, (_, n) => row(`The bird ${n}.`, 0, n < 4 ? [1] : [])),
    ONE_KIND,
  );
  assert.deepEqual([...setAside("words", words)], [words.rows[3], words.rows[7]]);
});

test("the held-out sentences of the ready set are the build's, of an own set its own", () => {
  const material = readMaterial(DATA);
  const ready = split("sentences", { ...many(8), ready: true }, material);
  assert.equal(ready.learned.length, 8);
  assert.equal(ready.heldOut, material.sentences.heldOut);
  const own = split("sentences", many(8), material);
  assert.deepEqual([own.learned.length, own.heldOut.length], [6, 2]);
  assert.ok(own.heldOut.every((held) => !own.learned.includes(held)));
});

test("labels of one class, or no mark, keep a set from being trained on", () => {
  assert.match(String(whatIsMissing("sentences", EMPTY.sentences)), /label some sentences first/);
  const one = setOf([row("a", 1), row("b", 1)]);
  assert.match(
    String(whatIsMissing("sentences", one)),
    /All labels are “sad”.*label some sentences “happy”, too/,
  );
  assert.equal(whatIsMissing("sentences", many(2)), null);
  // the only one of its class is among those that learn
  assert.equal(whatIsMissing("sentences", setOf([...many(8).rows, row("c", 1)])), null);
  const unmarked = setOf([row("The bird.")], ONE_KIND);
  assert.match(String(whatIsMissing("words", unmarked)), /mark a place/);
  const all = setOf([row("Anna met.", 0, [0, 1])], ONE_KIND);
  assert.match(String(whatIsMissing("words", all)), /Every word is marked/);
  assert.equal(whatIsMissing("words", setOf([row("Anna met.", 0, [0])], ONE_KIND)), null);
});

test("few labels, contradictions and foreign words are remarked on", () => {
  assert.deepEqual(remarksOn("sentences", many(16), model.tokenizer).slice(0, -1), []);
  assert.deepEqual(remarksOn("sentences", many(16), null), []);
  assert.deepEqual(remarksOn("sentences", EMPTY.sentences, model.tokenizer), []);
  const said = remarksOn("sentences", setOf([row("Anna met.", 0), row("anna MET.", 1)]), null);
  assert.match(said[0], /“Anna met.” is labelled “happy” and “sad”/);
  assert.match(said[1], /From 2 labels, .* luck/);
  const marks = setOf([row("Anna met.", 0, [0]), row("Anna met.")], ONE_KIND);
  assert.match(remarksOn("words", marks, null)[0], /labelled “Anna” and without a mark/);
  const rare = setOf([...many(16).rows.filter(({ label }) => label === 0), row("x", 1)]);
  assert.match(remarksOn("sentences", rare, null)[0], /“sad” has fewer than three/);
  assert.match(String(foreign("The zoo met Anna.", model.tokenizer)), /never met “zoo”:/);
  assert.equal(foreign("The bird met Anna.", model.tokenizer), null);
  const six = String(foreign("q w e r t y", model.tokenizer));
  assert.match(six, /“q”, “w”, “e”, “r” and 2 more/);
});

test("a sentence becomes ids and its class, marked words become B and I at first pieces", () => {
  const sentence = encode("sentences", model, row("Anna met.", 1));
  assert.equal(sentence.label, 1);
  assert.equal(sentence.ids.length, 5);
  const { labels } = encode("words", model, row("Annas, blue bird", 0, [0, 1, 2]));
  //                          [CLS] anna ##s  ,  blue bird [SEP]
  assert.deepEqual(labels, [-100, 1, -100, 0, 1, 2, -100]);
  const { ids } = encode("sentences", model, row("Anna ".repeat(60)));
  assert.equal(ids.length, model.longest);
});

test("readings and labels are compared in the same words", () => {
  const kinds = ["happy", "sad"];
  assert.equal(inWords({ classes: [0.3, 0.7] }, "", kinds), "sad");
  assert.equal(truthOf("sentences", row("a", 1), kinds), "sad");
  const text = "In the blue bird, Anna met.";
  assert.equal(truthOf("words", row(text, 0, [2, 3, 4]), ["x"]), "blue bird, Anna");
  const entities = [{ start: 7, end: 16 }];
  assert.equal(inWords({ entities }, text, ["x"]), "blue bird");
  assert.equal(inWords({ entities: [] }, text, ["x"]), truthOf("words", row(text), ["x"]));
});

test("the guess is compared with what the build has measured", () => {
  const ready = readMaterial(DATA).sentences;
  assert.deepEqual(choicesOf(ready), ["4", "8", "16", "more"]);
  assert.equal(answerOf(ready), "8");
  assert.match(whatCame(ready, "8"), /^You guessed 8, which is right\./);
  assert.match(whatCame(ready, "more"), /^You guessed more than 16; it took 8\./);
  assert.match(
    whatCame(ready, null),
    /^When .*70% with 4, 92% with 8 and 98% with 16 labels.* 5 draws/,
  );
  const never = { ...ready, measured: { 4: [0.5, 0.1] } };
  assert.equal(answerOf(/** @type {any} */ (never)), "more");
});
