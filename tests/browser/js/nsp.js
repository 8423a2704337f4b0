/** For test_nsp.py. */
import { seededDraws } from "/assets/bert/masking.js";
import { fetchJSON, loadModel } from "/assets/bert/model.js";
import { drawPair, labelOf } from "/assets/bert/pairs.js";
import { readStories } from "/assets/widgets/nsp/model.js";
import { remember } from "/assets/widgets/state.js";

/** 2,000 pairs with their sizes; of the first 40 the label is found in the stories as well. */
export async function drawnPairs() {
  const { tokenizer } = await loadModel("pretrained");
  const count = (/** @type {string} */ text) => tokenizer.tokenize(text).length;
  const stories = readStories(await fetchJSON("stories.json"), count);
  const draw = seededDraws(3);
  return Array.from({ length: 2000 }, (_, n) => {
    const pair = drawPair(stories, 61, draw);
    const again = n < 40 ? labelOf(stories, pair.a, pair.b) : null;
    return { ...pair, sizes: [count(pair.a), count(pair.b)], again };
  });
}

/** Something else than the score is remembered. */
export const rememberAPage = () => remember("read", ["index"]);
