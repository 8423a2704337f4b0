/**
 * The encoder for training: forward on a whole batch, remembering what each layer was given, and
 * backward to the gradient of every weight.
 *
 * All tokens of a batch stand in one array, text after text, `(tokens, hidden)`. Nothing is padded:
 * only attention needs to know where a text ends. There is no dropout; the lesson's models have
 * been trained without it.
 */
import { attendBackward, geluBackward, tableBackward } from "./backward.js";
import { add, attend, gelu } from "./layers.js";
import { Weights } from "./weights.js";

/** @typedef {import("./layers.js").Vectors} Vectors */

/**
 * Some texts for one step.
 * @typedef {object} Batch
 * @property {number[]} ids Of all tokens, text after text, `(tokens)`, like the next two.
 * @property {number[]} segments
 * @property {number[]} positions
 * @property {number[]} starts Where each text starts; then the number of all tokens.
 */

/**
 * What a layer was given and made, `(tokens, …)`, for its way back.
 * @typedef {object} Kept
 * @property {Vectors} given
 * @property {Vectors[]} parts Query, key and value.
 * @property {Float32Array} shares For each text `(heads, length, length)`, text after text.
 * @property {Vectors} context
 * @property {Vectors} attended The context's layer plus what was given.
 * @property {Vectors} seen
 * @property {Vectors} inner Before GELU.
 * @property {Vectors} active After it.
 * @property {Vectors} thought
 */

const TABLES = "bert.embeddings";

export class Network extends Weights {
  /** @type {Kept[]} */
  #kept = [];
  /** @type {Vectors} The sum of the embeddings. */
  #embedded = new Float32Array();

  /**
   * One vector for each token, `(tokens, hidden)`.
   * @param {Batch} batch
   */
  forward({ ids, segments, positions, starts }) {
    const width = this.config.hidden_size;
    const words = this.weight(`${TABLES}.word_embeddings.weight`);
    const types = this.weight(`${TABLES}.token_type_embeddings.weight`);
    const places = this.weight(`${TABLES}.position_embeddings.weight`);
    const sum = this.buffers.take(TABLES, ids.length * width);
    for (let i = 0; i < ids.length; i++) {
      const [word, type, place] = [
        ids[i] * width,
        segments[i] * width,
        positions[i] * width,
      ];
      for (let k = 0; k < width; k++) {
        sum[i * width + k] =
          words[word + k] + types[type + k] + places[place + k];
      }
    }
    this.#embedded = sum;
    let hidden = this.layerNorm(`${TABLES}.LayerNorm`, sum);
    for (let layer = 0; layer < this.config.num_hidden_layers; layer++) {
      this.#kept[layer] = this.#layer(
        `bert.encoder.layer.${layer}`,
        hidden,
        starts,
      );
      const norm = `bert.encoder.layer.${layer}.output.LayerNorm`;
      hidden = this.layerNorm(norm, this.#kept[layer].thought);
    }
    return hidden;
  }

  /**
   * From the gradient of what `forward` returned to those of the encoder's weights.
   * @param {Batch} batch
   * @param {Vectors} dHidden `(tokens, hidden)`, overwritten
   */
  // --8<-- [start:encoder]
  backward({ ids, segments, positions, starts }, dHidden) {
    for (let layer = this.#kept.length - 1; layer >= 0; layer--) {
      this.#layerBackward(layer, dHidden, starts);
    }
    this.layerNormBackward(`${TABLES}.LayerNorm`, dHidden, this.#embedded);
    // three embeddings were added, so each gets the whole gradient
    const width = this.config.hidden_size;
    const rows = { word: ids, token_type: segments, position: positions };
    for (const [table, taken] of Object.entries(rows)) {
      const gradient = this.gradient(`${TABLES}.${table}_embeddings.weight`);
      tableBackward(dHidden, taken, width, gradient);
    }
  }
  // --8<-- [end:encoder]

  /**
   * @param {string} name
   * @param {Vectors} given `(tokens, hidden)`
   * @param {number[]} starts
   * @returns {Kept}
   */
  // --8<-- [start:layer]
  #layer(name, given, starts) {
    const { hidden_size: width, num_attention_heads: heads } = this.config;
    const attention = `${name}.attention`;
    const parts = ["query", "key", "value"].map((part) =>
      this.linear(`${attention}.self.${part}`, given),
    );
    const context = this.buffers.take(`${name}.context`, given.length);
    const shares = this.buffers.take(`${name}.shares`, heads * squares(starts));
    eachText(starts, heads, (tokens, own) => {
      const [query, key, value, collected] = [...parts, context].map(
        (vectors) => vectors.subarray(tokens.start * width, tokens.end * width),
      );
      const taken = shares.subarray(own.start, own.end);
      attend(query, key, value, width, heads, collected, taken);
    });
    const attended = this.linear(`${attention}.output.dense`, context);
    add(attended, given, attended);
    const seen = this.layerNorm(`${attention}.output.LayerNorm`, attended);
    const inner = this.linear(`${name}.intermediate.dense`, seen);
    const active = gelu(
      inner,
      this.buffers.take(`${name}.active`, inner.length),
    );
    const thought = this.linear(`${name}.output.dense`, active);
    add(thought, seen, thought);
    return {
      given,
      parts,
      shares,
      context,
      attended,
      seen,
      inner,
      active,
      thought,
    };
  }
  // --8<-- [end:layer]

  /**
   * @param {number} layer
   * @param {Vectors} dHidden `(tokens, hidden)`: the gradient of what the layer has made, then of
   *   what it was given
   * @param {number[]} starts
   */
  // --8<-- [start:layer-backward]
  #layerBackward(layer, dHidden, starts) {
    const name = `bert.encoder.layer.${layer}`;
    const attention = `${name}.attention`;
    const kept = this.#kept[layer];
    this.layerNormBackward(`${name}.output.LayerNorm`, dHidden, kept.thought);
    // a sum passes its gradient on to both sides: dHidden stays as it is
    // for `seen`, and what comes through the linear layers is added to it
    const dInner = this.buffers.zeros("dInner", kept.inner.length);
    this.linearBackward(`${name}.output.dense`, dHidden, kept.active, dInner);
    geluBackward(dInner, kept.inner);
    this.linearBackward(
      `${name}.intermediate.dense`,
      dInner,
      kept.seen,
      dHidden,
    );
    this.layerNormBackward(
      `${attention}.output.LayerNorm`,
      dHidden,
      kept.attended,
    );
    const dContext = this.buffers.zeros("dContext", dHidden.length);
    this.linearBackward(
      `${attention}.output.dense`,
      dHidden,
      kept.context,
      dContext,
    );
    const dParts = this.#attentionBackward(kept, dContext, starts);
    for (const [n, part] of ["query", "key", "value"].entries()) {
      this.linearBackward(
        `${attention}.self.${part}`,
        dParts[n],
        kept.given,
        dHidden,
      );
    }
  }
  // --8<-- [end:layer-backward]

  /**
   * @param {Kept} kept
   * @param {Vectors} dContext `(tokens, hidden)`
   * @param {number[]} starts
   * @returns {Vectors[]} The gradients of query, key and value, each `(tokens, hidden)`.
   */
  #attentionBackward({ parts, shares }, dContext, starts) {
    const { hidden_size: width, num_attention_heads: heads } = this.config;
    const dParts = parts.map((part, n) =>
      this.buffers.take(`dPart ${n}`, part.length),
    );
    eachText(starts, heads, (tokens, own) => {
      const [dOwn, ...vectors] = [dContext, ...parts, ...dParts].map((all) =>
        all.subarray(tokens.start * width, tokens.end * width),
      );
      const taken = shares.subarray(own.start, own.end);
      attendBackward(
        dOwn,
        vectors.slice(0, 3),
        taken,
        width,
        heads,
        vectors.slice(3),
      );
    });
    return dParts;
  }
}

/**
 * How many pairs of tokens of one text there are.
 * @param {number[]} starts
 */
function squares(starts) {
  let sum = 0;
  for (let text = 1; text < starts.length; text++)
    sum += (starts[text] - starts[text - 1]) ** 2;
  return sum;
}

/** @typedef {{start: number, end: number}} Stretch */

/**
 * @param {number[]} starts
 * @param {number} heads
 * @param {(tokens: Stretch, shares: Stretch) => void} use Is told where a text's tokens are, and
 *   where its shares.
 */
function eachText(starts, heads, use) {
  let at = 0;
  for (let text = 1; text < starts.length; text++) {
    const [start, end] = [starts[text - 1], starts[text]];
    const next = at + heads * (end - start) ** 2;
    use({ start, end }, { start: at, end: next });
    at = next;
  }
}
