// @ts-nocheck: its types are still to be written
/** Fill in: hide any tokens of a text, and see which ones the model would put there. */
import { softmax } from "../bert/bert.js";
import { findWords, isForeign, ranking } from "../bert/decode.js";
import { words } from "../bert/tokenizer.js";
import { announce, h, probability, whenQuiet } from "./dom.js";
import { getModels } from "./loading.js";
import { followAddress, linkButton } from "./state.js";
import { bar, chip, row } from "./tokens.js";

const NAME = "fill-in";
const MASK = "[MASK]";
const GUESSES = 5; // for each hidden token
const CONTEXT = 3; // tokens on each side of a hidden one, shown above its guesses

const VISIT =
  "Felix spent a pleasant Thursday at the museum in Lille. " +
  "Felix wrote to Beatrix about the charming museum.";
const EXAMPLES = [
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

export async function mount(host) {
  // Until the model has loaded, the first example is split into words, which are its tokens.
  let text = EXAMPLES[0].text;
  let tokens = wordsAsTokens(text);
  let hidden = new Set(); // indices in tokens
  let buttons = new Map(); // index -> button
  let lesson = ""; // what an example shows, until something is changed
  let model; // a promise, once something has needed it

  const field = h("textarea", {
    id: "fill-in-text",
    rows: 2,
    dir: "auto",
    oninput: whenQuiet(typed, 400),
  });
  const tokenRow = h("div", { onkeydown: moveFocus });
  const remarks = h("div", { class: "fill-in-remarks" });
  const slot = h("div"); // for messages while the model loads
  const results = h("div");
  const quiet = { type: "button", class: "quiet" };
  const showAll = h("button", { ...quiet, onclick: showAllAgain }, "Show all");
  const link = linkButton(NAME, () => ({ text, hidden: [...hidden].join() }));
  field.value = text;
  host.append(
    h("p", { class: "widget-title" }, "Hide a token, and let the model fill it in"),
    h("label", { for: field.id }, "Choose an example, or write your own text:"),
    h("div", { class: "widget-buttons" }, EXAMPLES.map(exampleButton)),
    field,
    h("p", {}, "Press a token to hide it from the model. The arrow keys move between tokens."),
    tokenRow,
    remarks,
    slot,
    results,
    h("div", { class: "widget-buttons" }, showAll, link),
  );
  drawTokens();

  followAddress(host, NAME, (state) => {
    const places = (state.get("hidden") || "").split(",").map(Number);
    read(state.get("text") ?? text, () => places);
  });

  function getModel() {
    model ??= getModels(slot, ["pretrained"]).then(([pretrained]) => pretrained);
    return model;
  }

  // What a reader does

  function exampleButton(example) {
    async function take() {
      field.value = example.text;
      const guesses = await read(example.text, () => example.hidden, example.say);
      announce([...guesses.map(inWords), lesson].join(". "));
    }
    return h("button", { type: "button", onclick: take }, example.name);
  }

  async function typed() {
    if (field.value === text) return; // an example was chosen in the meantime
    const [before, saidBefore] = [tokens, remarks.textContent];
    await read(field.value, (now) => follow(hidden, before, now));
    const remark = remarks.textContent === saidBefore ? "" : remarks.textContent;
    announce(`${tokens.length - 2} tokens, ${maskedPlaces().length} hidden. ${remark}`);
  }

  async function toggle(place) {
    const { piece } = tokens[place];
    if (!hidden.delete(place)) hidden.add(place);
    lesson = "";
    drawToken(place);
    const guessed = (await guess()).find((result) => result.place === place);
    announce(guessed ? inWords(guessed) : `${piece} is shown again`);
  }

  async function showAllAgain() {
    const places = [...hidden];
    hidden.clear();
    lesson = "";
    places.forEach(drawToken);
    buttons.get(places[0]).focus(); // before this button goes
    await guess();
    announce("All tokens are shown");
  }

  /**
   * Switch to another text.
   * @param {(tokens: object[]) => Iterable<number>} chooseHidden Once its tokens are known.
   * @returns The guesses.
   */
  async function read(newText, chooseHidden, newLesson = "") {
    text = newText;
    const { tokenizer, longest } = await getModel();
    if (text !== newText) return []; // the reader typed while the model was loading
    const encoded = tokenizer.encode(text, null, { longest });
    const chosen = [...chooseHidden(encoded.tokens)];
    [tokens, lesson] = [encoded.tokens, newLesson];
    hidden = new Set(chosen.filter(canBeHidden));
    if (field.value !== text) field.value = text;
    drawTokens();
    remarks.replaceChildren(
      ...remarksOn(text, tokens, tokenizer, encoded.cut && longest).map((said) => h("p", {}, said)),
    );
    return guess();
  }

  // The tokens: the Tab key stops at one of them, arrows lead to the others

  function canBeHidden(place) {
    const token = tokens[place];
    return token !== undefined && !token.structural && token.piece !== MASK;
  }

  function isMasked(place) {
    return hidden.has(place) || tokens[place].piece === MASK;
  }

  function maskedPlaces() {
    return [...tokens.keys()].filter(isMasked);
  }

  /** The chip of a token as the model sees it. */
  function chipAt(place) {
    return chip(isMasked(place) ? { ...tokens[place], seen: MASK, fate: "masked" } : tokens[place]);
  }

  function drawTokens() {
    const hadFocus = tokenRow.contains(document.activeElement);
    const drawn = row();
    drawn.setAttribute("role", "toolbar");
    drawn.setAttribute("aria-label", "Tokens");
    buttons = new Map();
    for (const place of tokens.keys()) {
      if (canBeHidden(place)) {
        const button = h("button", { type: "button", onclick: () => toggle(place) });
        button.addEventListener("focus", () => makeStop(place));
        buttons.set(place, button);
        drawToken(place);
      }
      drawn.append(buttons.get(place) ?? chipAt(place));
    }
    tokenRow.replaceChildren(drawn);
    const stop = [...hidden, ...buttons.keys()][0];
    makeStop(stop);
    if (hadFocus) (buttons.get(stop) ?? field).focus();
    showAll.hidden = hidden.size === 0;
  }

  /** Change a button in place, so that it keeps the focus. */
  function drawToken(place) {
    const [button, drawn] = [buttons.get(place), chipAt(place)];
    button.className = drawn.className;
    button.replaceChildren(...drawn.childNodes);
    button.setAttribute("aria-pressed", hidden.has(place));
    showAll.hidden = hidden.size === 0;
  }

  function makeStop(place) {
    for (const [other, button] of buttons) button.tabIndex = other === place ? 0 : -1;
  }

  function moveFocus(event) {
    const all = [...buttons.values()];
    const at = all.indexOf(event.target);
    const target = {
      ArrowLeft: () => all[at - 1],
      ArrowRight: () => all[at + 1],
      ArrowUp: () => onNextLine(event.target, all.slice(0, at).reverse()),
      ArrowDown: () => onNextLine(event.target, all.slice(at + 1)),
      Home: () => all[0],
      End: () => all.at(-1),
    }[event.key];
    if (!target || at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault(); // else the page would scroll as well
    target()?.focus();
  }

  // The guesses

  /** The probabilities of all pieces at each hidden token; shows and returns them. */
  async function guess() {
    const { bert, tokenizer } = await getModel();
    // without ids they are the first example's, also when another text is on its way
    if (tokens[0].id === undefined) tokens = tokenizer.encode(EXAMPLES[0].text).tokens;
    const places = maskedPlaces();
    const ids = tokens.map(({ id }, place) => (isMasked(place) ? tokenizer.ids.get(MASK) : id));
    const vectors = bert.encode(
      ids,
      tokens.map(() => 0),
    );
    const guesses = bert.maskedLM(vectors, places).map((scores, n) => {
      const shares = softmax(scores);
      const ids = ranking(shares);
      const ranked = ids.map((id) => ({ piece: tokenizer.pieces[id], share: shares[id] }));
      const truth = hidden.has(places[n]) ? ids.indexOf(tokens[places[n]].id) : null;
      return { place: places[n], ranked, truth };
    });
    const signs = hidden.size ? " ✓ marks the hidden token." : "";
    const parts = [
      guesses.length && h("p", {}, `The most likely tokens at each hidden position.${signs}`),
      guesses.length && h("div", { class: "fill-in-results" }, guesses.map(drawGuess)),
      lesson && h("p", { class: "fill-in-lesson" }, lesson),
    ];
    results.replaceChildren(...parts.filter(Boolean));
    return guesses;
  }

  /** @param {{place: number, ranked: {piece: string, share: number}[], truth: ?number}} guess */
  function drawGuess({ place, ranked, truth }) {
    const bars = ranked.slice(0, GUESSES).map(({ piece, share }, rank) => {
      const drawn = bar(rank === truth ? `✓ ${piece}` : piece, share, probability(share));
      drawn.classList.toggle("fill-in-truth", rank === truth);
      return drawn;
    });
    if (truth >= GUESSES) {
      const { piece, share } = ranked[truth];
      const where = `rank ${truth + 1} of ${ranked.length}, ${probability(share)}`;
      bars.push(h("p", {}, `✓ ${piece}: ${where}`));
    }
    const name = `Guesses for token ${place}`;
    const context = h("p", {}, contextOf(place));
    return h("div", { class: "fill-in-result", role: "group", "aria-label": name }, context, bars);
  }

  /** The hidden token with its neighbours on both sides. */
  function contextOf(place) {
    const from = Math.max(1, place - CONTEXT);
    const to = Math.min(tokens.length - 1, place + CONTEXT + 1);
    const parts = [from > 1 ? "… " : ""];
    for (let at = from; at < to; at++) {
      const { start, end } = tokens[at];
      if (at > from) parts.push(text.slice(tokens[at - 1].end, start));
      if (at === place) parts.push(chipAt(at));
      else parts.push(isMasked(at) ? "▢" : text.slice(start, end));
    }
    return [...parts, to < tokens.length - 1 ? " …" : ""];
  }
}

/** [CLS], the words, [SEP]; without ids. */
function wordsAsTokens(text) {
  const token = ({ chars, start, end }) => ({ piece: chars.join(""), start, end });
  const edge = (piece) => ({ piece, structural: true });
  return [edge("[CLS]"), ...[...words(text)].map(token), edge("[SEP]")];
}

/** The hidden positions after an edit: those before it and after it stay hidden. */
function follow(hidden, before, now) {
  const differs = (at) => before.at(at)?.piece !== now.at(at)?.piece;
  const most = Math.min(before.length, now.length);
  let same = 0; // at the beginning
  while (same < most && !differs(same)) same++;
  let last = 0; // at the end
  while (last < most - same && !differs(-1 - last)) last++;
  return [...hidden]
    .filter((place) => place < same || place >= before.length - last)
    .map((place) => (place < same ? place : place + now.length - before.length));
}

/** What a reader should know about this text, in sentences; usually none. */
function remarksOn(text, tokens, tokenizer, cutAt) {
  const said = [];
  if (tokens.length === 2) said.push("There is no token yet: write a word or two.");
  if (cutAt) {
    const end = text.slice(0, tokens.at(-2).end).slice(-15);
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
        `${tokenizer.pieces.length} pieces from the stories that it was trained on. ` +
        `${how.filter(Boolean).join("; ")}.`,
    );
  }
  return said;
}

/** The words outside the model's vocabulary: those split into letters, and those unknown. */
function strangers(text, tokens) {
  const [spelled, unknown] = [new Set(), new Set()];
  for (const { start, end, pieces } of findWords(tokens).filter(isForeign)) {
    (pieces[0] === "[UNK]" ? unknown : spelled).add(text.slice(start, end));
  }
  return { spelled: [...spelled], unknown: [...unknown] };
}

/** “a” is, “a” and “b” are, “a”, “b”, “c” and 7 more are. */
function list(names, most = 4) {
  const shown = names.slice(0, most).map((name) => {
    const chars = [...name];
    return chars.length > 20 ? `“${chars.slice(0, 19).join("")}…”` : `“${name}”`;
  });
  if (names.length > most) shown.push(`${names.length - most} more`);
  if (shown.length === 1) return `${shown[0]} is`;
  return `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)} are`;
}

/** A guess as it is read aloud. */
function inWords({ ranked, truth }) {
  const what = truth === null ? MASK : `${ranked[truth].piece} hidden`;
  return `${what}: the model says ${ranked[0].piece}, ${probability(ranked[0].share)}`;
}

/** The nearest button on the first other line among these, which lead away from one. */
function onNextLine(from, others) {
  const middle = (element) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    return { x: left + width / 2, y: top + height / 2 };
  };
  const here = middle(from);
  const elsewhere = others.filter((other) => Math.abs(middle(other).y - here.y) > 4);
  if (!elsewhere.length) return undefined;
  const line = elsewhere.filter((other) => Math.abs(middle(other).y - middle(elsewhere[0]).y) <= 4);
  const distance = (other) => Math.abs(middle(other).x - here.x);
  return line.reduce((best, other) => (distance(other) < distance(best) ? other : best));
}
