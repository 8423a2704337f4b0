// @ts-nocheck: its types are still to be written
/**
 * Is it next? The reader guesses whether passage B follows passage A, and then the head does.
 *
 * Drawn pairs are a game whose score is kept. Passages that the reader writes have no true label,
 * only the head's verdict.
 */
import { softmax } from "../bert/bert.js";
import { findWords, isForeign } from "../bert/decode.js";
import { fetchJSON } from "../bert/model.js";
import { drawPair, IS_NEXT, IS_RANDOM, labelOf } from "../bert/pairs.js";
import { announce, h, probability, whenQuiet } from "./dom.js";
import { getModels } from "./loading.js";
import { followAddress, linkButton, remember, remembered } from "./state.js";
import { bar } from "./tokens.js";

const NAME = "next";
const LONGEST = 2000; // characters of a passage in a link, far more than the model reads
const LABELS = ["B is next", "B is random"]; // by label
const NOTHING = { rounds: 0, reader: 0, head: 0, word: 0 };
const OWN = {
  a: "Thea spent a beautiful Sunday at the garden in Lucca.",
  b: "Thea wrote to Otto about the marvellous garden.",
};
// what a story can be about: the keys of VENUES in corpus_text.py
const KINDS = "bakery theatre museum hotel market library garden circus castle zoo".split(" ");

export function mount(host) {
  let model, stories, names; // once they have loaded
  let pair = OWN; // the passages, and their label if it is known

  const stage = h("div");
  const result = h("div");
  const actions = h("div", { class: "widget-buttons" });
  const slot = h("div");
  const score = h("div", { class: "widget-buttons next-score" });
  const link = linkButton(NAME, () => ({ a: begin(pair.a), b: begin(pair.b) }));
  const title = h("p", { class: "widget-title" }, "Is it next?");
  host.append(title, stage, result, actions, slot, score);
  stage.append(
    "Two passages from stories that the model has never seen: does B follow A, or does it come " +
      "from another story? You guess first, then the head does.",
  );
  actions.append(step("Draw a pair", play, "main"), step("Write your own", write));
  showScore();
  document.addEventListener("remembered", ({ detail }) => {
    if (detail === null || detail === NAME) showScore(); // redrawing it would lose the focus
  });
  followAddress(host, NAME, openLink);

  /** A button whose action returns the element to focus next. */
  function step(text, action, kind) {
    return h("button", { type: "button", class: kind, onclick: () => use(action) }, text);
  }

  /** Runs this once the model and the stories have loaded. */
  async function use(action, moveFocus = true) {
    const again = slot.querySelector("button"); // loading failed before
    if (again) return again.click();
    try {
      if (!model) await load();
      const next = action();
      if (moveFocus) next.focus();
    } catch (error) {
      slot.replaceChildren(h("p", { class: "widget-error" }, error.message));
      announce(error.message);
    }
  }

  async function load() {
    const texts = await fetchJSON("stories.json");
    const isText = (text) => typeof text === "string";
    const isStory = (story) => Array.isArray(story) && story.every(isText);
    if (!(Array.isArray(texts) && texts.length && texts.every(isStory))) {
      throw new Error("The file stories.json is damaged.");
    }
    const [pretrained] = await getModels(slot, ["pretrained"]);
    stories = texts.map((story) =>
      story.map((text) => ({ text, size: pretrained.tokenizer.tokenize(text).length })),
    );
    names = namesIn(texts.flat().join(" "));
    model = pretrained;
  }

  /** What the address brings: a pair of the stories to guess, or one that a reader wrote. */
  function openLink(state) {
    const [a, b] = [begin(state.get("a") ?? ""), begin(state.get("b") ?? "")];
    use(() => {
      pair = { a, b, label: labelOf(stories, a, b) };
      return pair.label === null ? write() : ask();
    }, false);
  }

  function play() {
    pair = drawPair(stories, model.longest - 3, Math.random); // [CLS] and [SEP] take three
    return ask();
  }

  /** Show a pair, and let the reader guess. */
  function ask() {
    slot.replaceChildren();
    const said = { "aria-label": "The pair", "aria-describedby": "next-a next-b" };
    const passages = h(
      "div",
      { role: "group", tabindex: -1, ...said },
      h("p", { id: "next-a", class: "passage", dir: "auto" }, h("b", {}, "A"), pair.a),
      h("p", { id: "next-b", class: "passage segment-b", dir: "auto" }, h("b", {}, "B"), pair.b),
    );
    stage.replaceChildren(passages);
    result.replaceChildren(h("p", { class: "next-question" }, "Does B follow A?"));
    actions.replaceChildren(
      ...LABELS.map((text, label) => step(text, () => tell(label))),
      h("span", { class: "next-more" }, link),
    );
    return passages;
  }

  /** The truth, and three guesses: by the reader, the head, and a rule of one word. */
  function tell(guess) {
    const { label } = pair;
    const share = verdict(pair).share;
    const head = share > 0.5 ? IS_NEXT : IS_RANDOM;
    const word = sharedKinds(pair).length ? IS_NEXT : IS_RANDOM;
    const truth = [
      "B is next: it follows A in the story.",
      "B is random: it comes from another story.",
    ][label];
    const points = readScore();
    remember(NAME, {
      rounds: points.rounds + 1,
      reader: points.reader + (guess === label),
      head: points.head + (head === label),
      word: points.word + (word === label),
    });
    result.replaceChildren(
      h("p", { class: "next-truth" }, truth),
      h(
        "ul",
        { class: "next-said" },
        said("You", guess, label),
        said("One word alone", word, label),
        said("The head", head, label),
      ),
      bars(share),
      h("p", {}, clues(pair, names)),
    );
    const again = step("Another pair", play, "main");
    actions.replaceChildren(
      again,
      h("span", { class: "next-more" }, step("Edit A and B", write, "quiet"), link),
    );
    const [you, it] = [guess, head].map((said) => (said === label ? "right" : "wrong"));
    announce(
      `You were ${you}. ${truth} The head was ${it}, with ${probability(share)} for is next.`,
    );
    return again;
  }

  /** The reader's own passages: no label is known, and the score does not change. */
  function write() {
    slot.replaceChildren();
    const like = { rows: 4, dir: "auto", spellcheck: "false", oninput: edited };
    const field = (key) => h("textarea", { id: `next-${key}`, ...like });
    const fields = { a: field("a"), b: field("b") };
    stage.replaceChildren(
      ...Object.values(fields).flatMap((area, n) => [
        h("label", { for: area.id }, `Passage ${"AB"[n]}`),
        area,
      ]),
    );
    const swap = h("button", { type: "button", onclick: swapped }, "Swap A and B");
    actions.replaceChildren(
      swap,
      step("Draw a pair", play),
      h("span", { class: "next-more" }, link),
    );
    const judgeLater = whenQuiet(() => fields.a.isConnected && judge());
    let before;
    fill(pair);
    return fields.a;

    function fill({ a, b }) {
      [fields.a.value, fields.b.value] = [a, b];
      judge();
    }

    function edited() {
      pair = { a: fields.a.value, b: fields.b.value, label: null };
      judgeLater();
    }

    function swapped() {
      before = null; // announce the verdict, even if it is the same
      fill({ a: pair.b, b: pair.a });
    }

    function judge() {
      pair = { a: fields.a.value, b: fields.b.value, label: null };
      const { share, notes } = verdict(pair);
      const head = share > 0.5 ? IS_NEXT : IS_RANDOM;
      result.replaceChildren(...notes.map((note) => h("p", { class: "widget-note" }, note)));
      if (share === null) return;
      const heading = h("p", { class: "next-truth" }, `The head: ${LABELS[head]}`);
      result.prepend(heading, bars(share), h("p", {}, clues(pair, names)));
      // each letter moves the bars; only a change of verdict is announced
      if (head !== before)
        announce(`The head says: ${LABELS[head]}, ${probability(share)} for is next.`);
      before = head;
    }
  }

  /** The probability that B is next, null where there is nothing to read; and remarks. */
  function verdict({ a, b }) {
    const { tokenizer, bert, longest } = model;
    if (![a, b].every((text) => tokenizer.tokenize(text).length)) {
      return { share: null, notes: ["Write something in both passages."] };
    }
    const { tokens, ids, segments, cut } = tokenizer.encode(a, b, { longest });
    const share = softmax(bert.nextSentence(bert.encode(ids, segments)))[IS_NEXT];
    const notes = [];
    if (cut) {
      notes.push(`Too long for ${longest} tokens: the end of the longer passage was cut off.`);
    }
    if (findWords(tokens).some(isForeign)) {
      notes.push(
        "Some of these words are not in the model's small vocabulary. It sees them as single " +
          "letters or as [UNK], so its verdict means little.",
      );
    }
    return { share, notes };
  }

  function showScore() {
    const { rounds, reader, head, word } = readScore();
    if (!rounds) return score.replaceChildren();
    const pairs = rounds === 1 ? "1 pair" : `${rounds} pairs`;
    const counts = `you ${reader}, the head ${head}, one word alone ${word}`;
    score.replaceChildren(
      h("span", {}, `Right so far, of ${pairs}: ${counts}.`),
      h("button", { type: "button", class: "quiet", onclick: forget }, "Reset the score"),
    );
  }

  function forget() {
    remember(NAME, NOTHING);
    announce("The score is reset.");
    actions.querySelector("button").focus();
  }
}

/** The score that this browser remembers; none if what it has is no score. */
function readScore() {
  const kept = remembered(NAME, NOTHING);
  const counts = Object.keys(NOTHING).map((key) => kept?.[key]);
  const sound = counts.every((n) => Number.isSafeInteger(n) && n >= 0 && n <= counts[0]);
  return sound ? kept : NOTHING;
}

function said(who, what, label) {
  const right = what === label;
  const [sign, word] = right ? ["✓", "right"] : ["✗", "wrong"];
  return h("li", { class: word }, h("b", {}, sign), ` ${who}: ${LABELS[what]} (${word})`);
}

function bars(share) {
  return h(
    "div",
    { class: "next-bars" },
    bar("is next", share, probability(share)),
    bar("random", 1 - share, probability(1 - share)),
  );
}

const begin = (text) => text.slice(0, LONGEST);

/** The words of a text, in lower case with a space before and after each. */
const plain = (text) => ` ${text.toLowerCase().replace(/[^\p{L}]+/gu, " ")} `;

const kindsIn = (text) => KINDS.filter((kind) => plain(text).includes(` ${kind} `));

const sharedKinds = ({ a, b }) => kindsIn(a).filter((kind) => kindsIn(b).includes(kind));

/** People, towns and named places: words capitalized within a sentence, except days. */
function namesIn(text) {
  const found = text.match(/(?<=[\p{Ll},] )\p{Lu}\p{Ll}+(?: \p{Lu}\p{Ll}+)?/gu) ?? [];
  return [...new Set(found)].filter((name) => !name.endsWith("day"));
}

/** What may give the label away, judging by the words alone. */
function clues({ a, b, label }, names) {
  const [inA, inB] = [kindsIn(a), kindsIn(b)];
  const [kind] = sharedKinds({ a, b });
  const found = [];
  if (kind) {
    const told = ["That one word settles it.", "That one word is misleading here."][label];
    found.push(`Both mention a ${kind}.`, told);
  } else if (inA.length && inB.length) {
    const told = [null, "That one word settles it."][label];
    found.push(`A mentions a ${inA[0]}, B a ${inB[0]}.`, told);
  } else {
    const silent = inA.length ? "B names no" : inB.length ? "A names no" : "Neither names a";
    found.push(`${silent} kind of place, so no such word helps.`);
  }
  const both = names.filter((name) =>
    [a, b].every((text) => plain(text).includes(` ${name.toLowerCase()} `)),
  );
  if (both.length) {
    const named = both.slice(0, 4).map((name) => (name.includes(" ") ? `the ${name}` : name));
    found.push(`Both mention ${listed(named)}${label === IS_RANDOM ? ", by chance" : ""}.`);
  }
  return found.filter(Boolean).join(" ");
}

const listed = (words) =>
  words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
