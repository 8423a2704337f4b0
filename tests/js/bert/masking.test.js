import assert from "node:assert/strict";
import { test } from "node:test";
import { countFates, maskTokens, seededDraws } from "../../../docs/assets/bert/masking.js";

const RECIPE = { select: 0.15, mask: 0.8, random: 0.1 };
const VOCABULARY = { maskId: 4, vocabSize: 100 };

/** @param {number[]} draws */
const given = (draws) => () => draws.shift() ?? assert.fail("more draws than expected");

test("a seed gives the same numbers each time, all from 0 up to 1", () => {
  /** @param {number} seed */
  const some = (seed) => Array.from({ length: 1000 }, seededDraws(seed));
  assert.deepEqual(some(7), some(7));
  assert.notDeepEqual(some(7), some(8));
  assert.ok(some(7).every((number) => number >= 0 && number < 1));
  const mean = some(7).reduce((sum, number) => sum + number, 0) / 1000;
  assert.ok(Math.abs(mean - 0.5) < 0.03, `${mean}`);
});

test("one draw selects, a second one decides the fate, a third one replaces", () => {
  const tokens = [{ id: 1, structural: true }, { id: 10 }, { id: 11 }, { id: 12 }, { id: 13 }];
  const draws = given([0.15, 0.1, 0.79, 0.1, 0.85, 0.5, 0.1, 0.95]);
  assert.deepEqual(maskTokens(tokens, RECIPE, draws, VOCABULARY), [
    { fate: "", id: 1 },
    { fate: "", id: 10 },
    { fate: "masked", id: 4 },
    { fate: "random", id: 50 },
    { fate: "kept", id: 13 },
  ]);
});

test("over many draws the fates come as often as the recipe says", () => {
  const times = 200_000;
  const { selected, masked, random, kept } = countFates(times, RECIPE, seededDraws(1));
  assert.equal(masked + random + kept, selected);
  assert.ok(Math.abs(selected / times - 0.15) < 0.005);
  assert.ok(Math.abs(masked / selected - 0.8) < 0.01);
  assert.ok(Math.abs(random / selected - 0.1) < 0.01);
});
