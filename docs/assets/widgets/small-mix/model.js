/** What pretraining it yourself computes: the runs side by side, and what is said of them. */
import { fixed } from "../numbers.js";

/**
 * What was measured after a step; nothing has been learned at step 0, where there is no loss.
 * @typedef {{step: number, loss: number | null, scores: number[]}} Point
 */

/** @typedef {{select: number, mask: number, random: number, seed: number}} Choice Shares in percent. */
/** @typedef {Choice & {kind: number, points: Point[], taken: number}} Run */

/**
 * The build's file, see `bertlesson.lesson.small_mix.page_data`.
 * @typedef {object} Material
 * @property {string} stamp Differs where anything else does.
 * @property {Settings} settings
 * @property {string[]} pieces
 * @property {number} special So many of the first pieces are special tokens.
 * @property {string[]} labels
 * @property {string[][]} stories
 * @property {string[]} heldOut
 * @property {[string, string][]} labelled Sentences with their tags.
 * @property {[string, string][]} tested
 * @property {(Choice & {points: Point[]})[]} built What the build has measured.
 */

/**
 * @typedef {object} Settings
 * @property {number} hidden_size
 * @property {number} intermediate_size
 * @property {number} layers
 * @property {number} heads
 * @property {number} initializer_range
 * @property {number} batch_size
 * @property {number} steps
 * @property {number} learning_rate
 * @property {number} beta2
 * @property {number} every
 * @property {number} longest
 * @property {number} held_out_seed
 */

export const FILE = "small-mix.json";
export const MOST = 4; // runs
export const MEASURES = ["at [MASK]", "visible", "repaired", "probe"];
/** @type {Choice} */
export const START = { select: 15, mask: 80, random: 10, seed: 0 };
const LISTS = /** @type {const} */ ([
  "pieces",
  "labels",
  "stories",
  "heldOut",
  "labelled",
  "tested",
]);

/**
 * @param {unknown} data
 * @returns {Material}
 * @throws {Error} With a message for the reader.
 */
export function readMaterial(data) {
  const material = /** @type {Material} */ (Object(data));
  const whole =
    LISTS.every((name) => Array.isArray(material[name]) && material[name].length > 0) &&
    Array.isArray(material.built) &&
    typeof material.stamp === "string" &&
    Object(material.settings).steps > 0;
  if (!whole) throw new Error(`The file ${FILE} is damaged: it does not contain the whole text.`);
  return material;
}

/**
 * How a run is called in the table and in the charts.
 * @param {Pick<Run, "kind">} run
 */
export const letterOf = ({ kind }) => "ABCD"[kind];

/** @param {Pick<Choice, "mask" | "random">} choice */
export const mixOf = ({ mask, random }) => `${mask}/${random}/${100 - mask - random}`;

/**
 * Runs with a new one; the oldest goes if there are too many.
 * @param {Run[]} runs
 * @param {Choice} choice
 * @returns {Run[]}
 */
export function addRun(runs, { select, mask, random, seed }) {
  const kept = runs.slice(-(MOST - 1));
  const kind = [0, 1, 2, 3].find((each) => kept.every((run) => run.kind !== each)) ?? 0;
  return [...kept, { select, mask, random, seed, kind, points: [], taken: 0 }];
}

/**
 * Why a recipe teaches nothing; null if it does.
 * @param {Choice} choice
 */
export function whyNothing({ select }) {
  return select > 0 ? null : "Nothing is selected, so there is no loss to learn from.";
}

/**
 * What the build has measured with the same recipe and the same seed, after as many steps.
 * @param {Material} material
 * @param {Run} run
 * @returns {Point | null}
 */
export function builtFor({ built }, run) {
  const same = built.find((each) =>
    ["select", "mask", "random", "seed"].every(
      (name) => Reflect.get(each, name) === Reflect.get(run, name),
    ),
  );
  return same?.points.find(({ step }) => step === run.points.at(-1)?.step) ?? null;
}

/**
 * What came of a run.
 * @param {Run} run
 * @param {number} steps How many it should have taken.
 */
export function inWords(run, steps) {
  const name = `Run ${letterOf(run)}, ${mixOf(run)}`;
  const last = run.points.at(-1);
  const stopped = run.taken < steps ? `Stopped after ${run.taken} steps. ` : "";
  if (!last) return `${stopped}${name}: nothing was measured.`;
  const scores = MEASURES.map((measure, n) => `${measure} ${fixed(last.scores[n])}`);
  const loss = last.loss === null ? "" : `, loss ${fixed(last.loss)}`;
  return `${stopped}${name}: ${scores.join(", ")}${loss}.`;
}

/**
 * How long a run will take, from the steps that it has taken.
 * @param {number} step
 * @param {number} steps
 * @param {number} milliseconds Since it began.
 */
export function timeLeft(step, steps, milliseconds) {
  if (step < 10) return `step ${step} of ${steps}`;
  const seconds = Math.ceil(((steps - step) * milliseconds) / step / 1000);
  return `step ${step} of ${steps}, about ${seconds} s left`;
}

/**
 * The runs of earlier visits, whatever the browser has kept.
 * @param {unknown} kept
 * @param {string} stamp Runs on another text are dropped.
 * @returns {Run[]}
 */
export function readRuns(kept, stamp) {
  const { stamp: own, runs } = Object(kept);
  if (own !== stamp || !Array.isArray(runs)) return [];
  const sound = runs.filter(isRun).slice(-MOST);
  return sound.filter((run, n) => sound.findIndex(({ kind }) => kind === run.kind) === n);
}

/**
 * @param {unknown} run
 * @returns {run is Run}
 */
function isRun(run) {
  const { select, mask, random, seed, kind, points, taken } = Object(run);
  return (
    [select, mask, random].every((share) => isWhole(share, 100)) &&
    mask + random <= 100 &&
    isWhole(seed, 1_000) &&
    isWhole(kind, MOST - 1) &&
    isWhole(taken, 1e6) &&
    Array.isArray(points) &&
    points.length > 0 &&
    points.every(isPoint)
  );
}

/** @type {(number: unknown, highest: number) => boolean} */
const isWhole = (number, highest) =>
  Number.isInteger(number) && Number(number) >= 0 && Number(number) <= highest;

/** @param {unknown} point */
function isPoint(point) {
  const { step, loss, scores } = Object(point);
  return (
    isWhole(step, 1e6) &&
    (loss === null || Number.isFinite(loss)) &&
    Array.isArray(scores) &&
    scores.length === MEASURES.length &&
    scores.every((score) => score >= 0 && score <= 1)
  );
}
