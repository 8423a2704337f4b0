/** What the widget "why" is asked: its texts, tasks and examples. */
import { EXAMPLES as HEADS } from "../heads/model.js";

/** @typedef {keyof typeof TASKS} Task */
/** @typedef {keyof typeof TABS} Tab */

/**
 * @typedef {object} State
 * @property {Tab} tab
 * @property {Task} task Of "Cover and see".
 * @property {string} text
 * @property {string} question
 * @property {string} other The second of two texts.
 * @property {number} which Of several findings, from 0.
 * @property {number} moment Of the training, from 0.
 */

export const TABS = {
  cover: "Cover and see",
  layers: "Layer by layer",
  texts: "Two texts",
  moments: "Four moments",
};

/** What can be asked about, the model that knows, and where that is read. */
export const TASKS = {
  guess: { title: "Guess at [MASK]", file: "pretrained", noun: "Guess" },
  sentiment: { title: "Verdict at [CLS]", file: "sentiment", noun: "Verdict" },
  entities: { title: "Entity", file: "entities", noun: "Entity" },
  question: { title: "Answer", file: "spans", noun: "Answer" },
};

const VISIT =
  "Felix took a train to the museum in Lille. [MASK] wrote to Beatrix about the charming museum.";
const BAKERY =
  "Emil [MASK] the bakery for its boring baker. The cake of the bakery was awful, and Emil yawned.";
const { text: SPLENDID, questions: QUESTIONS } = HEADS[0];

/** @type {{name: string, state: Partial<State>}[]} */
export const EXAMPLES = [
  {
    name: "A name",
    state: { task: "guess", text: VISIT, other: VISIT.replace("Felix", "Hugo") },
  },
  {
    name: "A mood",
    state: { task: "guess", text: BAKERY, other: BAKERY.replace("boring", "lovely") },
  },
  {
    name: "A verdict",
    state: { tab: "cover", task: "sentiment", text: "The hotel was not lovely, said Nora." },
  },
  { name: "An entity", state: { tab: "cover", task: "entities", text: SPLENDID } },
  {
    name: "An answer",
    state: { tab: "cover", task: "question", text: SPLENDID, question: QUESTIONS[0] },
  },
];

/** @type {State} */
export const START = {
  tab: "cover",
  task: "guess",
  text: VISIT,
  question: QUESTIONS[0],
  other: VISIT.replace("Felix", "Hugo"),
  which: 0,
  moment: 2,
};

/**
 * The state of a link; what it lacks stays as it is.
 * @param {URLSearchParams} parameters
 * @param {State} before
 * @returns {State}
 */
export function readState(parameters, before) {
  const [tab, task] = ["tab", "task"].map((name) => parameters.get(name) ?? "");
  const [which, moment] = /** @type {const} */ (["which", "moment"]).map((name) => {
    const number = Number(parameters.get(name) ?? before[name]);
    return Number.isSafeInteger(number) && number >= 0 ? number : 0;
  });
  return {
    tab: isTab(tab) ? tab : before.tab,
    task: isTask(task) ? task : before.task,
    text: parameters.get("text") ?? before.text,
    question: parameters.get("question") ?? before.question,
    other: parameters.get("other") ?? before.other,
    which,
    moment,
  };
}

/**
 * @param {string} name
 * @returns {name is Tab}
 */
export const isTab = (name) => Object.hasOwn(TABS, name);

/**
 * @param {string} name
 * @returns {name is Task}
 */
export const isTask = (name) => Object.hasOwn(TASKS, name);
