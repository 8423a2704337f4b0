/** Select tokens and give each its fate, as `bertlesson.masking.mask_tokens` does. */

/** @typedef {"" | "masked" | "random" | "kept"} Fate "" if the token was not selected. */
/** @typedef {{maskId: number, vocabSize: number, special: number}} Vocabulary The first ids are special. */
/** @typedef {{select: number, mask: number, random: number}} Recipe Shares; the rest is kept. */

/**
 * Numbers from 0 up to 1, the same ones from the same seed (mulberry32).
 * @param {number} seed
 */
export function seededDraws(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * What becomes of one token.
 * @param {Recipe} recipe
 * @param {() => number} draw Numbers from 0 up to 1.
 * @returns {Fate}
 */
function drawFate({ select, mask, random }, draw) {
  if (draw() >= select) return "";
  // one draw decides between all three fates, so their shares are the recipe's
  const deciding = draw();
  if (deciding < mask) return "masked";
  return deciding < mask + random ? "random" : "kept";
}

/**
 * @param {{id: number, structural?: boolean}[]} tokens As `Tokenizer.encode` gives them.
 * @param {Recipe} recipe
 * @param {() => number} draw Numbers from 0 up to 1.
 * @param {{maskId: number, vocabSize: number}} vocabulary
 * @returns {{fate: Fate, id: number}[]} For each token its fate, and
 *   the id that the model sees. Structural tokens are never selected.
 */
export function maskTokens(tokens, recipe, draw, { maskId, vocabSize }) {
  return tokens.map(({ id, structural }) => {
    const fate = structural ? "" : drawFate(recipe, draw);
    if (fate === "masked") return { fate, id: maskId };
    if (fate === "random") return { fate, id: Math.floor(draw() * vocabSize) };
    return { fate, id };
  });
}

/**
 * Fates that change as little as possible with the recipe: each token has three draws of its own,
 * to select it, to decide and to replace it, whatever becomes of it.
 * @param {{id: number, structural?: boolean}[]} tokens
 * @param {Recipe} recipe
 * @param {() => number} draw Numbers from 0 up to 1.
 * @param {{maskId: number, vocabSize: number}} vocabulary
 */
export function maskSteadily(tokens, recipe, draw, vocabulary) {
  return tokens.flatMap((token) => {
    const own = [draw(), draw(), draw()];
    return maskTokens([token], recipe, () => own.shift() ?? 0, vocabulary);
  });
}

/**
 * A row with its tokens hidden, and labels where they were selected.
 * @param {{ids: number[], segments: number[]}} row
 * @param {Recipe} recipe
 * @param {() => number} draw Numbers from 0 up to 1.
 * @param {Vocabulary} vocabulary
 * @returns {{ids: number[], segments: number[], labels: number[]}}
 */
export function hide({ ids, segments }, recipe, draw, vocabulary) {
  const tokens = ids.map((id) => ({ id, structural: id < vocabulary.special }));
  const fates = maskSteadily(tokens, recipe, draw, vocabulary);
  const labels = fates.map(({ fate }, n) => (fate ? ids[n] : -100));
  return { ids: fates.map(({ id }) => id), segments, labels };
}

/**
 * How often each fate comes up over many draws.
 * @param {number} times How many tokens, each drawn for by itself.
 * @param {Recipe} recipe
 * @param {() => number} draw Numbers from 0 up to 1.
 * @returns {{selected: number, masked: number, random: number, kept: number}}
 */
export function countFates(times, recipe, draw) {
  const counts = { "": 0, masked: 0, random: 0, kept: 0 };
  for (let time = 0; time < times; time++) counts[drawFate(recipe, draw)] += 1;
  const { "": passed, ...fates } = counts;
  return { selected: times - passed, ...fates };
}
