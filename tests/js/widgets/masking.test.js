import assert from "node:assert/strict";
import { test } from "node:test";
import { maskSteadily, seededDraws } from "../../../docs/assets/bert/masking.js";
import {
  countOf,
  drawFrom,
  inWords,
  judge,
  readStart,
  readState,
  START,
  sharesOf,
  stateForLink,
  whyEmpty,
} from "../../../docs/assets/widgets/masking/model.js";
import { close } from "../close.js";

test("shares add up to 100, and the one that was set last is kept", () => {
  assert.deepEqual(sharesOf({ mask: 80, random: 10 }), { masked: 80, random: 10, kept: 10 });
  assert.deepEqual(sharesOf({ mask: 95, random: 10 }), { masked: 95, random: 5, kept: 0 });
  const last = "random";
  assert.deepEqual(sharesOf({ mask: 95, random: 10, last }), { masked: 90, random: 10, kept: 0 });
});

test("a token keeps its draws when a share moves: fewer are selected, none other", () => {
  const tokens = Array.from({ length: 200 }, (_, id) => ({ id }));
  /** @param {number} select */
  const selected = (select) =>
    maskSteadily(tokens, { select, mask: 0.5, random: 0.5 }, seededDraws(7), {
      maskId: 0,
      vocabSize: 10,
    })
      .map(({ fate }, n) => (fate ? n : -1))
      .filter((n) => n >= 0);
  const [few, many] = [selected(0.2), selected(0.4)];
  assert.ok(few.length > 10 && few.length < many.length);
  assert.ok(few.every((n) => many.includes(n)));
});

test("the loss is −ln of the truth's probability, and the truth is among the guesses", () => {
  const scores = Float32Array.of(4, 3, 2, 1, 0);
  const sum = [4, 3, 2, 1, 0].reduce((all, score) => all + Math.exp(score), 0);
  const { loss, best } = judge(scores, 3);
  close([loss], [Math.log(sum) - 1], 1e-6);
  assert.deepEqual(
    best.map(({ id }) => id),
    [0, 1, 2, 3],
  );
  close([best[3].share], [Math.E / sum], 1e-6);
  assert.equal(judge(scores, 1).best.length, 3);
});

test("a link may hold anything", () => {
  assert.deepEqual(readState(new URLSearchParams("")), START);
  const state = readState(new URLSearchParams("text=a&select=400&mask=-3&random=x&seed=1e9"));
  assert.deepEqual(state, { text: "a", select: 100, mask: 0, random: 10, seed: 1 });
  const brought = new URLSearchParams({ text: "a".repeat(20_000) });
  assert.equal(readState(brought).text.length, 10_000);
  assert.equal(stateForLink({ ...START, mask: 95 }).random, 5, "as it is shown");
});

test("the first draw has all three fates and says so", () => {
  const drawn = drawFrom(START, readStart());
  assert.equal(drawn.candidates, drawn.tokens.length - 2);
  const { selected, masked, random, kept } = countOf(drawn.fates);
  assert.ok(masked && random && kept);
  assert.equal(selected, masked + random + kept);
  assert.equal(
    inWords(drawn, 183, "The mean loss is 1."),
    `Draw 183: selected ${selected} of ${drawn.candidates} tokens, of which ${masked} masked, ` +
      `${random} random, ${kept} kept. The mean loss is 1.`,
  );
});

test("a draw without a selected token says why; a typed [SEP] cannot be selected", () => {
  const none = drawFrom({ ...START, select: 0 }, readStart());
  assert.match(whyEmpty(none, 3), /^Draw 3 selected nothing/);
  assert.equal(inWords(none, 3, "Never said."), whyEmpty(none, 3));
  const structural = drawFrom({ ...START, text: "[SEP] [MASK]", select: 100 }, readStart());
  assert.match(whyEmpty(structural, 3), /^There is no token to select yet/);
});
