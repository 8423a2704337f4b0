/** For test_masking.py: many draws, and what the playground computes. */
import { countFates, maskSteadily, maskTokens, seededDraws } from "/assets/bert/masking.js";
import { judge, sharesOf } from "/assets/widgets/masking/model.js";

/** @typedef {import("/assets/bert/masking.js").Recipe} Recipe */

/**
 * How often each fate comes up, how often an id is not what its fate says, and the random ids.
 * @param {[length: number, rows: number, recipe: Recipe, vocabSize: number]} given
 */
export function fatesOf([length, rows, recipe, vocabSize]) {
  const draw = seededDraws(7);
  const tokens = Array.from({ length }, (_, n) => ({ id: n + 5, structural: n % 25 === 0 }));
  const fates = { "": 0, masked: 0, random: 0, kept: 0 };
  const wrong = { structural: 0, untouched: 0, masked: 0 };
  const drawn = new Array(vocabSize).fill(0);
  for (let row = 0; row < rows; row++) {
    maskTokens(tokens, recipe, draw, { maskId: 4, vocabSize }).forEach(({ fate, id }, n) => {
      const isSame = id === tokens[n].id;
      if (tokens[n].structural) wrong.structural += Number(fate !== "" || !isSame);
      else fates[fate] += 1;
      if ((fate === "" || fate === "kept") && !isSame) wrong.untouched += 1;
      if (fate === "masked" && id !== 4) wrong.masked += 1;
      if (fate === "random") drawn[id] += 1;
    });
  }
  return { fates, wrong, drawn };
}

/** Draws of a few seeds, and what they make of many tokens. */
export function drawsOfSeeds() {
  const some = (/** @type {number} */ seed) => {
    const draw = seededDraws(seed);
    return Array.from({ length: 9 }, () => draw());
  };
  const recipe = { select: 0.15, mask: 0.8, random: 0.1 };
  const counts = countFates(200_000, recipe, seededDraws(3));
  const none = countFates(1000, { ...recipe, select: 0 }, seededDraws(3));
  return { one: some(1), again: some(1), two: some(2), most: some(2 ** 32 - 1), counts, none };
}

/** The wishes whose shares are not what they have to be. */
export function wrongShares() {
  const wrong = [];
  for (let mask = 0; mask <= 100; mask++) {
    for (let random = 0; random <= 100; random++) {
      for (const last of /** @type {const} */ (["mask", "random"])) {
        const shares = sharesOf({ mask, random, last });
        const { masked, kept } = shares;
        const stands = last === "mask" ? masked === mask : shares.random === random;
        const asWished = mask + random > 100 || (masked === mask && shares.random === random);
        const sum = masked + shares.random + kept;
        const least = Math.min(masked, shares.random, kept);
        const right = stands && asWished && sum === 100 && least >= 0;
        if (!right) wrong.push([mask, random, last, shares]);
      }
    }
  }
  return wrong;
}

/** The same tokens with a higher share to select, and then with a lower one to mask. */
export function steadyFates() {
  const tokens = Array.from({ length: 60 }, (_, n) => ({ id: n + 5, structural: n === 0 }));
  const masked = (/** @type {number} */ select, /** @type {number} */ mask) =>
    maskSteadily(tokens, { select, mask, random: 0.1 }, seededDraws(11), {
      maskId: 4,
      vocabSize: 389,
    });
  return [masked(0.15, 0.8), masked(0.4, 0.8), masked(0.4, 0.5)];
}

/** @param {[scores: number[][], truths: number[]]} given */
export const verdictsOn = ([scores, truths]) =>
  scores.map((row, n) => judge(Float32Array.from(row), truths[n]));

/** From now on, what readers hear is kept in `heard`. */
export function listen() {
  /** @type {string[]} */
  const heard = [];
  Object.assign(window, { heard });
  const voice = document.querySelector(".widget-voice[role=status]");
  if (!voice) throw new Error("The page has no voice.");
  const hear = () => voice.textContent && heard.push(voice.textContent);
  new MutationObserver(hear).observe(voice, { childList: true });
}
