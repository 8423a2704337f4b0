/**
 * Pairs of passages for next sentence prediction, as `bertlesson.nsp.create_pairs` draws them.
 *
 * One thing differs: passages end where a sentence ends, since readers are to read them.
 */

// the labels, as the model was trained on them
export const IS_NEXT = 0;
export const IS_RANDOM = 1;

/** @typedef {{text: string, size: number}} Sentence With its number of tokens. */
/** @typedef {Sentence[]} Story */
/** @typedef {typeof IS_NEXT | typeof IS_RANDOM} Label */
/** @typedef {{a: string, b: string, label: Label}} Pair */

/**
 * Two passages, and whether the second follows the first. A true B and a random one are both made
 * before the coin is tossed, alike in all but where they come from: neither lengths nor first and
 * last sentences give the label away.
 *
 * @param {Story[]} stories
 * @param {number} room The most tokens that both may have together.
 * @param {() => number} draw Numbers from 0 up to 1.
 * @returns {Pair}
 * @throws {Error} If the stories give no pair.
 */
export function drawPair(stories, room, draw) {
  /** @param {number} n */
  const below = (n) => Math.floor(draw() * n);
  for (let attempt = 0; attempt < 1000 && stories.length; attempt++) {
    // a chunk of sentences that fills the input, and the point where A ends in it
    const story = stories[below(stories.length)];
    const start = below(story.length);
    const stop = grow(story, start, room);
    if (stop - start < 2) continue;
    const middle = start + 1 + below(stop - start - 1);
    const a = story.slice(start, middle);
    const strangers = drawElsewhere(stories, story, middle, stop, room - size(a));
    if (!strangers.length) continue;

    const stranger = strangers[below(strangers.length)];
    const label = draw() < 0.5 ? IS_NEXT : IS_RANDOM;
    const b = label === IS_NEXT ? story.slice(middle, stop) : stranger;
    return { a: join(a), b: join(b), label };
  }
  throw new Error("The file stories.json is damaged: no pair can be drawn from it.");
}

/**
 * Every passage from another story that could be a random B in place of the true one.
 * @param {Story[]} stories
 * @param {Story} home
 * @param {number} middle Where the true B begins in its home.
 * @param {number} stop
 * @param {number} room
 */
function drawElsewhere(stories, home, middle, stop, room) {
  const count = stop - middle;
  const closes = stop === home.length;
  const found = [];
  for (const other of stories) {
    if (other === home) continue;
    // it has as many sentences, is as full, opens no story, and closes one if the true one does
    for (let from = 1; from + count <= other.length; from++) {
      const to = from + count;
      const alike = grow(other, from, room) === to && (to === other.length) === closes;
      if (!alike || follows(stories, home[middle - 1], other[from])) continue;
      found.push(other.slice(from, to));
    }
  }
  return found;
}

/**
 * Whole sentences from `start` on, as long as they fit; where they stop.
 * @param {Story} story
 * @param {number} start
 * @param {number} room
 */
function grow(story, start, room) {
  let stop = start;
  for (let left = room; stop < story.length && story[stop].size <= left; stop++) {
    left -= story[stop].size;
  }
  return stop;
}

/**
 * Whether some story has these two sentences one after the other.
 * @param {Story[]} stories
 * @param {Sentence} last
 * @param {Sentence} first
 */
function follows(stories, last, first) {
  return stories.some((story) =>
    story.some(({ text }, n) => text === last.text && story[n + 1]?.text === first.text),
  );
}

/**
 * Whether B follows A in one of the stories.
 * @param {Story[]} stories
 * @param {string} a
 * @param {string} b
 * @returns {Label | null} Null if they are no passages of these stories, or two of the same one
 *   that do not follow each other.
 */
export function labelOf(stories, a, b) {
  const [ofA, ofB] = [placesOf(a, stories), placesOf(b, stories)];
  const both = ofA.flatMap((p) => ofB.filter((q) => q.story === p.story).map((q) => [p, q]));
  if (both.some(([p, q]) => p.stop === q.start)) return IS_NEXT;
  return ofA.length && ofB.length && !both.length ? IS_RANDOM : null;
}

/**
 * Where a passage is: the story, its first sentence, and the one after its last.
 * @param {string} passage
 * @param {Story[]} stories
 */
function placesOf(passage, stories) {
  const found = [];
  for (const story of stories) {
    for (let start = 0; start < story.length; start++) {
      for (let stop = start + 1; stop <= story.length; stop++) {
        if (join(story.slice(start, stop)) === passage) found.push({ story, start, stop });
      }
    }
  }
  return found;
}

/** @param {Sentence[]} sentences */
const size = (sentences) => sentences.reduce((sum, sentence) => sum + sentence.size, 0);

/** @param {Sentence[]} sentences */
const join = (sentences) => sentences.map(({ text }) => text).join(" ");
