// @ts-nocheck: its types are still to be written
/** One pretrained model and three fine-tuned ones: a text through each head, before and after. */
import { softmax } from "../bert/bert.js";
import { decodeAnswer, decodeEntities, findWords, isForeign } from "../bert/decode.js";
import { beforeFineTuning } from "../bert/model.js";
import { announce, h, whenQuiet } from "./dom.js";
import { getModels } from "./loading.js";
import { fixed, probability } from "./numbers.js";
import { followAddress, linkButton } from "./state.js";
import { makeTabs } from "./tabs.js";
import { bar } from "./tokens.js";

const NAME = "heads";
const KINDS = { PER: "person", LOC: "town", ORG: "named place" };

/** Texts of the model's world with questions about them; the last two have other words. */
const EXAMPLES = [
  {
    name: "A splendid day",
    text: "Nora came to the library in Lille on a splendid Tuesday and loved the Copper Goose.",
    questions: [
      "When was Nora at the library in Lille?",
      "Who was at the library in Lille?",
      "When was Hugo at the zoo in Bonn?",
    ],
  },
  {
    name: "A dreary day",
    text: "Hugo came to the castle in Ghent on a dreary Friday and hated the Silver Heron.",
    questions: [
      "Who went to the castle on Friday?",
      "In which town was Hugo at the castle?",
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
      "Who went to the hotel on Monday?",
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

/** What each head does: `read` an input, `draw` the result, and `tell` it in words. */
const TASKS = {
  sentiment: {
    title: "Sentiment",
    file: "sentiment",
    about: "One label for the whole text, read at [CLS].",

    read({ bert, labels }, { ids, segments }) {
      const shares = softmax(bert.classify(bert.encode(ids, segments)));
      return labels.map((label, number) => ({ label, share: shares[number] }));
    },
    draw: (classes) => classes.map(({ label, share }) => bar(label, share, probability(share))),
    tell(classes) {
      const [{ label, share }] = [...classes].sort((a, b) => b.share - a.share);
      return `${label}, ${probability(share)}`;
    },
  },

  entities: {
    title: "Entities",
    file: "entities",
    about: "A label for each word, read at its first piece.",

    read({ bert, labels }, { ids, segments, tokens }) {
      const scores = bert.labelTokens(bert.encode(ids, segments));
      return decodeEntities(scores, findWords(tokens), labels);
    },
    draw: (entities, text, end) => [marked(text, entities, end, entityMark)],
    tell(entities, text) {
      const name = ({ start, end, kind }) => `${text.slice(start, end)}, ${KINDS[kind]}`;
      return entities.map(name).join("; ") || "no entity";
    },
  },

  question: {
    title: "Question",
    file: "spans",
    about:
      "Two scores for each token: does the answer start here, and does it end here? The span " +
      "with the highest sum is the answer, unless [CLS] scores higher.",

    read: ({ bert }, { ids, segments, tokens }) =>
      decodeAnswer(bert.spans(bert.encode(ids, segments)), tokens),
    draw: ({ span, none, answered }, text, end) => [
      marked(text, answered ? [span] : [], end, (words) => h("mark", { class: "answer" }, words)),
      scores(
        { name: `“${text.slice(span.start, span.end)}”`, score: span.score, wins: answered },
        { name: "no answer, at [CLS]", score: none, wins: !answered },
      ),
    ],
    tell: ({ span, answered }, text) => (answered ? text.slice(span.start, span.end) : "no answer"),
  },
};

/** @param {HTMLElement} host */
export function mount(host) {
  const state = { task: "sentiment", text: EXAMPLES[0].text, question: EXAMPLES[0].questions[0] };
  const soon = whenQuiet(run);
  let told = "";
  const tell = whenQuiet(() => {
    if (parts[state.task].said === told) return;
    told = parts[state.task].said;
    announce(told);
  }, 700); // not at every keystroke

  const text = h("textarea", { id: `${NAME}-text`, rows: 3, dir: "auto", spellcheck: "false" });
  const question = h("input", {
    id: `${NAME}-question`,
    type: "text",
    dir: "auto",
    autocomplete: "off",
    spellcheck: "false",
  });
  const questions = buttons();
  const titles = Object.entries(TASKS).map(([task, { title }]) => [task, title]);
  const tabs = makeTabs(NAME, "Task", Object.fromEntries(titles), (task) => change({ task }));
  const parts = {}; // of each panel
  for (const [task, panel] of Object.entries(tabs.panels)) {
    const [slot, notes, out] = [h("div"), h("div"), h("div", { class: "heads-columns" })];
    parts[task] = { panel, slot, notes, out, models: null, shown: "", said: "" };
    panel.append(h("p", {}, TASKS[task].about), slot, out, notes);
  }
  const legend = h("p", { class: "heads-legend" }, ...Object.keys(KINDS).map(kindInWords));
  tabs.panels.entities.firstChild.after(legend);
  const asked = [h("label", { for: question.id }, "Your question about it"), question, questions];
  tabs.panels.question.firstChild.after(...asked);

  text.addEventListener("input", () => change({ text: text.value }));
  question.addEventListener("input", () => change({ question: question.value }));
  host.append(
    h("label", { for: text.id }, "Your text"),
    text,
    buttons(...EXAMPLES.map((example) => quietButton(example.name, () => choose(example)))),
    tabs.row,
    ...Object.values(tabs.panels),
    buttons(linkButton(NAME, () => state)),
  );
  offer(EXAMPLES[0].questions);
  showState();
  if (!followAddress(host, NAME, take)) waitForTheReader();

  /** Apply the changes, and read again once the reader pauses. */
  function change(news) {
    Object.assign(state, news);
    showState();
    soon();
  }

  function showState() {
    // setting the value of a field moves its cursor
    if (text.value !== state.text) text.value = state.text;
    if (question.value !== state.question) question.value = state.question;
    tabs.open(state.task);
  }

  /** What a link brings; what it lacks stays as it is. */
  function take(brought) {
    const news = {};
    for (const field of ["text", "question"]) news[field] = brought.get(field) ?? state[field];
    if (Object.hasOwn(TASKS, brought.get("task") ?? "")) news.task = brought.get("task");
    change(news);
  }

  function choose(example) {
    offer(example.questions);
    change({ text: example.text, question: example.questions[0] });
  }

  function offer(offered) {
    const ask = (words) => quietButton(words, () => change({ question: words }));
    questions.replaceChildren(...offered.map(ask));
  }

  /** Nothing is fetched until the reader asks for it. */
  function waitForTheReader() {
    const { panel, out } = parts[state.task];
    const start = () => {
      panel.focus(); // the button disappears, and must not take the focus with it
      out.replaceChildren();
      run();
    };
    const button = h("button", { type: "button", class: "main", onclick: start }, "Read it");
    out.append(buttons(button, h("span", { class: "quietly" }, "fetches two models, 1 MB each")));
  }

  /** Show what the models say about the open task, once they have loaded. */
  async function run() {
    const { task } = state;
    const part = parts[task];
    part.models ??= getModels(part.slot, ["pretrained", TASKS[task].file]);
    const [pretrained, tuned] = await part.models;
    if (part.slot.contains(document.activeElement)) part.panel.focus();
    const wanted = JSON.stringify(state);
    if (state.task !== task || part.shown === wanted) return;
    part.shown = wanted;

    const input = encode(tuned, state);
    const missing = whatIsMissing(input, state);
    const models = missing ? [] : [beforeFineTuning(pretrained, tuned), tuned];
    const found = models.map((model) => TASKS[task].read(model, input));
    const end = input.tokens.at(-2).reach; // of what was read
    part.out.replaceChildren(
      ...found.map((each, n) => column(n, TASKS[task].draw(each, state.text, end))),
    );
    const notes = missing ? [missing] : [whatIsCut(input, state), whatIsNew(input, state)];
    part.notes.replaceChildren(...notes.filter(Boolean).map((words) => h("p", {}, words)));
    const [before, after] = found.map((each) => clip(TASKS[task].tell(each, state.text), 200));
    part.said = missing ?? `Before fine-tuning: ${before}. After: ${after}.`;
    tell();
  }
}

// The input, and remarks on it

function encode({ tokenizer, longest }, { task, text, question }) {
  return task === "question"
    ? tokenizer.encode(question, text, { longest, keepA: true })
    : tokenizer.encode(text, null, { longest });
}

/** What keeps the model from reading; null if nothing does. */
function whatIsMissing({ tokens, cut }, { task }) {
  const has = (wanted) => tokens.some((token) => token.segment === wanted && !token.structural);
  if (task !== "question") return has(0) ? null : "Type a text to read.";
  if (!has(0)) return "Type a question to answer.";
  if (has(1)) return null;
  return cut
    ? "The question is so long that it leaves no room for the text."
    : "Type a text to look for the answer in.";
}

function whatIsCut({ tokens, cut }, { text }) {
  if (!cut) return null;
  const { start, end } = findWords(tokens).at(-1);
  const last = clip(text.slice(start, end), 20);
  return `The model reads at most ${tokens.length} tokens; it read your text up to “${last}”.`;
}

/** The words that the model has never met, if there are any. */
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

// What is drawn

const COLUMNS = [
  { title: "Before fine-tuning", about: "pretrained encoder, random head" },
  { title: "After fine-tuning", about: "both fine-tuned on labelled examples" },
];

function column(number, children) {
  const { title, about } = COLUMNS[number];
  return h(
    "div",
    { class: "heads-column", role: "group", "aria-label": title },
    h("p", { class: "heads-caption" }, h("b", {}, title), h("span", { class: "quietly" }, about)),
    ...children,
  );
}

/** The text as far as it was read, with these spans marked, and a little of the rest. */
function marked(text, places, end, mark) {
  const parts = [];
  let at = 0;
  for (const place of places) {
    parts.push(text.slice(at, place.start), mark(text.slice(place.start, place.end), place));
    at = place.end;
  }
  parts.push(text.slice(at, end));
  const rest = text.slice(end).trim();
  // a full stop or the like that gives no token needs no remark
  if (/[\p{L}\p{N}]/u.test(rest)) {
    parts.push(h("span", { class: "quietly" }, h("b", {}, " not read: "), clip(rest, 60)));
  } else parts.push(rest);
  return h("p", { class: "heads-text", dir: "auto" }, ...parts);
}

const entityMark = (words, { kind }) =>
  h("mark", { class: `entity ${kind.toLowerCase()}` }, words, "\u00a0", h("b", {}, kind));

function kindInWords(kind) {
  const letters = h("b", { class: kind.toLowerCase() }, kind);
  return h("span", {}, letters, ` ${KINDS[kind]} `);
}

/** The two scores, the higher of which wins. */
function scores(...rows) {
  const row = ({ name, score, wins }) =>
    h(
      "tr",
      { class: wins && "wins" },
      h("th", { scope: "row", dir: "auto" }, clip(name, 60)),
      h("td", {}, fixed(score).replace("-", "−")),
      h("td", {}, wins ? "✓ higher" : ""),
    );
  return h("table", { class: "heads-scores" }, h("tbody", {}, ...rows.map(row)));
}

const buttons = (...children) => h("div", { class: "widget-buttons" }, ...children);

const quietButton = (words, onclick) =>
  h("button", { type: "button", class: "quiet", onclick }, words);

function clip(words, most) {
  const chars = [...words.slice(0, 2 * most + 2)]; // none is cut in two
  return chars.length > most ? `${chars.slice(0, most - 1).join("")}…` : words;
}
