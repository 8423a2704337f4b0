import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addRun,
  builtFor,
  inWords,
  MOST,
  mixOf,
  readMaterial,
  readRuns,
  START,
  timeLeft,
  whyNothing,
} from "../../../docs/assets/widgets/small-mix/model.js";
import { gather } from "../../../docs/assets/widgets/small-mix/run.js";

/** @typedef {import("../../../docs/assets/widgets/small-mix/model.js").Run} Run */

const scores = [0.4, 0.5, 0.3, 0.8];
const point = (/** @type {number} */ step) => ({ step, loss: step ? 2.5 : null, scores });
/** @type {(kind: number, changes?: Partial<Run>) => Run} */
const run = (kind, changes = {}) => {
  return { ...START, kind, points: [point(0), point(50)], taken: 50, ...changes };
};
const list = ["x"];
const DATA = {
  stamp: "s",
  settings: { steps: 50 },
  pieces: list,
  labels: list,
  stories: [list],
  heldOut: list,
  labelled: [["x", "O"]],
  tested: [["x", "O"]],
  built: [{ ...START, points: [point(50)] }],
};
const material = readMaterial(DATA);

test("a damaged file of the build is said plainly", () => {
  const parts = ["stamp", "settings", "pieces", "stories", "built"];
  for (const data of [null, 7, [], ...parts.map((part) => ({ ...DATA, [part]: undefined }))]) {
    assert.throws(() => readMaterial(data), /small-mix\.json is damaged/);
  }
});

test("the oldest run goes when there are too many, and its letter is used again", () => {
  /** @type {Run[]} */
  let runs = [];
  for (let n = 0; n < MOST + 2; n++) runs = addRun(runs, { ...START, seed: n });
  assert.deepEqual(
    runs.map(({ seed, kind }) => [seed, kind]),
    [
      [2, 2],
      [3, 3],
      [4, 0],
      [5, 1],
    ],
  );
});

test("the same run of the build is found, at the same step", () => {
  assert.deepEqual(builtFor(material, run(0)), point(50));
  for (const changes of [{ seed: 1 }, { mask: 79 }, { select: 16 }, { points: [point(25)] }]) {
    assert.equal(builtFor(material, run(0, changes)), null);
  }
});

test("what came of a run is one sentence, and one more if it was stopped", () => {
  const words =
    "Run B, 80/10/10: at [MASK] 0.40, visible 0.50, repaired 0.30, probe 0.80, loss 2.50.";
  assert.equal(inWords(run(1), 50), words);
  assert.equal(inWords(run(1, { taken: 40 }), 50), `Stopped after 40 steps. ${words}`);
  assert.match(
    inWords(run(1, { points: [], taken: 0 }), 50),
    /^Stopped .* nothing was measured\.$/,
  );
  assert.equal(mixOf({ mask: 100, random: 0 }), "100/0/0");
});

test("the time that is left is told once it can be known", () => {
  assert.equal(timeLeft(5, 500, 100), "step 5 of 500");
  assert.equal(timeLeft(100, 500, 2_000), "step 100 of 500, about 8 s left");
  assert.match(String(whyNothing({ ...START, select: 0 })), /no loss/);
  assert.equal(whyNothing(START), null);
});

test("runs of earlier visits are read with care", () => {
  const runs = [run(0), run(2)];
  const kept = JSON.parse(JSON.stringify({ stamp: "s", runs }));
  assert.deepEqual(readRuns(kept, "s"), runs);
  assert.deepEqual(readRuns(kept, "another text"), []);
  for (const nothing of [null, 7, "x", [], { stamp: "s" }, { stamp: "s", runs: {} }]) {
    assert.deepEqual(readRuns(nothing, "s"), []);
  }
  const wrong = [
    null,
    run(4),
    run(0, { mask: 95, random: 10 }),
    run(0, { points: [] }),
    run(0, { points: [{ ...point(0), scores: [0.1] }] }),
    run(0, { points: [{ ...point(0), scores: [1, 2, 0, 0] }] }),
    run(0, { taken: -1 }),
  ];
  for (const each of wrong) assert.deepEqual(readRuns({ stamp: "s", runs: [each] }, "s"), []);
  assert.equal(readRuns({ stamp: "s", runs: [run(1), run(1)] }, "s").length, 1);
});

test("a point has the mean loss of the steps since the last one", () => {
  /** @type {import("../../../docs/assets/widgets/small-mix/model.js").Point[]} */
  const points = [];
  const tell = gather((each) => points.push(each));
  tell({ step: 0, loss: Number.NaN, scores });
  for (const [n, loss] of [4, 2, 9].entries())
    tell({ step: n + 1, loss, ...(n === 1 && { scores }) });
  tell({ step: 4, loss: 1, scores });
  assert.deepEqual(
    points.map(({ step, loss }) => [step, loss]),
    [
      [0, null],
      [2, 3],
      [4, 5],
    ],
  );
});
