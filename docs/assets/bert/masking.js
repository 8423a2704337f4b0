/** Select tokens and give each its fate, as `bertlesson.masking.mask_tokens` does. */

/** Numbers from 0 up to 1, the same ones from the same seed (mulberry32). */
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
 * @param {{id: number, structural?: boolean}[]} tokens As `Tokenizer.encode` gives them.
 * @param {{select: number, mask: number, random: number}} recipe Shares; the rest is kept.
 * @param {() => number} draw Numbers from 0 up to 1.
 * @param {{maskId: number, vocabSize: number}} vocabulary
 * @returns {{fate: "" | "masked" | "random" | "kept", id: number, draws: number[]}[]} For each
 *   token its fate, "" if it was not selected, what the model sees, and what was drawn for it.
 */
export function maskTokens(tokens, recipe, draw, { maskId, vocabSize }) {
  return tokens.map(({ id, structural }) => {
    if (structural) return { fate: "", id, draws: [] };
    const selecting = draw();
    if (selecting >= recipe.select) return { fate: "", id, draws: [selecting] };
    // one draw decides between all three fates, so their shares are the recipe's
    const deciding = draw();
    const draws = [selecting, deciding];
    if (deciding < recipe.mask) return { fate: "masked", id: maskId, draws };
    if (deciding >= recipe.mask + recipe.random) return { fate: "kept", id, draws };
    return { fate: "random", id: Math.floor(draw() * vocabSize), draws };
  });
}
