/**
 * BERT's forward pass with all of the lesson's heads, on one input at a time.
 *
 * Names follow transformers' state dict. A matrix is a Float32Array, row by row, as in PyTorch; the
 * vectors of an input are one after the other, `(length, hidden)`. There is no padding, so no
 * attention mask; and no dropout, since nothing is trained here. `layers.js` has what a layer is
 * made of.
 */
import { add, attend, gelu, layerNorm, linear } from "./layers.js";
import { transpose } from "./products.js";

/** @typedef {import("./safetensors.js").Tensor} Tensor */

/**
 * What this reads of transformers' config.json.
 * @typedef {object} Config
 * @property {string} hidden_act
 * @property {number} hidden_size
 * @property {number} layer_norm_eps
 * @property {number} max_position_embeddings
 * @property {number} num_attention_heads
 * @property {number} num_hidden_layers
 * @property {number} [nsp_weight] Of the NSP loss in pretraining; 1 if it is missing.
 */

/** @typedef {import("./layers.js").Vectors} Vectors */

/**
 * What happens on the way through the encoder, for those who ask.
 * @typedef {object} Inside
 * @property {Vectors[]} hidden `(length, hidden)`: the embeddings, then what each layer made.
 * @property {Float32Array[]} shares `(heads, length, length)` of each layer: how much of each token
 *   the tokens took, see `attend`.
 */

export class Bert {
  /** @type {Map<string, Float32Array>} The transposes of matrices, by their names. */
  #turned = new Map();
  /** @type {Inside | null} Is filled while somebody looks. */
  #inside = null;

  /**
   * @param {Map<string, Tensor>} tensors
   * @param {Config} config
   */
  constructor(tensors, config) {
    this.tensors = tensors;
    this.config = config;
    if (config.hidden_act !== "gelu")
      throw new Error(`${config.hidden_act} is not gelu`);
  }

  /**
   * The same model with other weights.
   * @param {Map<string, Tensor>} tensors
   */
  withWeights(tensors) {
    return new Bert(tensors, this.config);
  }

  /**
   * The encoder: one vector for each token, `(length, hidden)`.
   * @param {ArrayLike<number>} ids
   * @param {ArrayLike<number>} segments
   */
  encode(ids, segments) {
    let hidden = this.#embed(ids, segments);
    this.#inside?.hidden.push(hidden);
    for (let layer = 0; layer < this.config.num_hidden_layers; layer++) {
      hidden = this.#layer(`bert.encoder.layer.${layer}`, hidden);
      this.#inside?.hidden.push(hidden);
    }
    return hidden;
  }

  /**
   * The same way through the encoder, with what there is to see on it.
   * @param {ArrayLike<number>} ids
   * @param {ArrayLike<number>} segments
   * @returns {Inside}
   */
  lookInside(ids, segments) {
    /** @type {Inside} */
    const inside = { hidden: [], shares: [] };
    this.#inside = inside;
    try {
      this.encode(ids, segments);
    } finally {
      this.#inside = null;
    }
    return inside;
  }

  /**
   * @param {ArrayLike<number>} ids
   * @param {ArrayLike<number>} segments
   */
  // --8<-- [start:embeddings]
  // Three embeddings are added: which token, which segment, which position.
  #embed(ids, segments) {
    const width = this.config.hidden_size;
    const longest = this.config.max_position_embeddings;
    if (ids.length > longest) {
      throw new Error(`${ids.length} tokens, expected at most ${longest}`);
    }
    const words = this.#get("bert.embeddings.word_embeddings.weight");
    const types = this.#get("bert.embeddings.token_type_embeddings.weight");
    const positions = this.#get("bert.embeddings.position_embeddings.weight");
    const sum = new Float32Array(ids.length * width);
    for (let i = 0; i < ids.length; i++) {
      for (let k = 0; k < width; k++) {
        sum[i * width + k] =
          words[ids[i] * width + k] +
          types[segments[i] * width + k] +
          positions[i * width + k];
      }
    }
    return this.#layerNorm("bert.embeddings.LayerNorm", sum);
  }
  // --8<-- [end:embeddings]

  /**
   * @param {string} name
   * @param {Vectors} hidden
   */
  // --8<-- [start:layer]
  // Attention, then a feed-forward network; each is added to its input.
  #layer(name, hidden) {
    const after = `${name}.attention.output`;
    const context = this.#linear(`${after}.dense`, this.#attend(name, hidden));
    const seen = this.#layerNorm(`${after}.LayerNorm`, add(context, hidden));
    const inner = gelu(this.#linear(`${name}.intermediate.dense`, seen));
    const thought = this.#linear(`${name}.output.dense`, inner);
    return this.#layerNorm(`${name}.output.LayerNorm`, add(thought, seen));
  }
  // --8<-- [end:layer]

  /**
   * @param {string} name
   * @param {Vectors} hidden
   */
  #attend(name, hidden) {
    const { hidden_size: width, num_attention_heads: heads } = this.config;
    const [query, key, value] = ["query", "key", "value"].map((part) =>
      this.#linear(`${name}.attention.self.${part}`, hidden),
    );
    const context = new Float32Array(hidden.length);
    const shares = new Float32Array(heads * (hidden.length / width) ** 2);
    attend(query, key, value, width, heads, context, shares);
    this.#inside?.shares.push(shares);
    return context;
  }

  /**
   * @param {Vectors} hidden
   * @param {number[]} positions
   */
  // --8<-- [start:decoder]
  // Scores of the vocabulary at these positions, one Float32Array each.
  maskedLM(hidden, positions) {
    const width = this.config.hidden_size;
    const chosen = new Float32Array(positions.length * width);
    positions.forEach((position, n) => {
      const begin = position * width;
      chosen.set(hidden.subarray(begin, begin + width), n * width);
    });
    const head = "cls.predictions";
    const inner = gelu(this.#linear(`${head}.transform.dense`, chosen));
    const vectors = this.#layerNorm(`${head}.transform.LayerNorm`, inner);
    // the decoder is the table of word embeddings
    const words = this.#transposed("bert.embeddings.word_embeddings.weight");
    const scores = linear(vectors, words, this.#get(`${head}.bias`));
    return rows(scores, positions.length);
  }
  // --8<-- [end:decoder]

  /** @param {Vectors} hidden */
  // --8<-- [start:one-vector]
  // The vector for the whole input, `(hidden)`: a layer on the one at [CLS].
  pooled(hidden) {
    const cls = hidden.subarray(0, this.config.hidden_size);
    return this.#linear("bert.pooler.dense", cls).map(Math.tanh);
  }

  // Two scores: B is next, B is random.
  nextSentence(/** @type {Vectors} */ hidden) {
    return this.#linear("cls.seq_relationship", this.pooled(hidden));
  }
  // --8<-- [end:one-vector]

  /**
   * A score for each class of the whole input.
   * @param {Vectors} hidden
   */
  classify(hidden) {
    return this.#linear("classifier", this.pooled(hidden));
  }

  /**
   * For each token, a score for each class.
   * @param {Vectors} hidden
   */
  labelTokens(hidden) {
    return rows(
      this.#linear("classifier", hidden),
      hidden.length / this.config.hidden_size,
    );
  }

  /**
   * For each token, how well an answer starts and how well it ends there.
   * @param {Vectors} hidden
   */
  spans(hidden) {
    const length = hidden.length / this.config.hidden_size;
    const scores = rows(this.#linear("qa_outputs", hidden), length);
    return {
      start: scores.map(([start]) => start),
      end: scores.map(([, end]) => end),
    };
  }

  /** @param {string} name */
  #get(name) {
    const tensor = this.tensors.get(name);
    if (!tensor) throw new Error(`the model has no ${name}`);
    return tensor.data;
  }

  /**
   * @param {string} name
   * @param {Vectors} vectors
   */
  #linear(name, vectors) {
    const turned = this.#transposed(`${name}.weight`);
    return linear(vectors, turned, this.#get(`${name}.bias`));
  }

  /**
   * The transpose of a matrix, made when it is first needed: the weights of a model do not change.
   * @param {string} name
   */
  #transposed(name) {
    let turned = this.#turned.get(name);
    if (!turned) {
      const weight = this.#get(name);
      const columns = /** @type {Tensor} */ (this.tensors.get(name)).shape[1];
      turned = transpose(weight, columns);
      this.#turned.set(name, turned);
    }
    return turned;
  }

  /**
   * @param {string} name
   * @param {Vectors} vectors
   */
  #layerNorm(name, vectors) {
    const [scale, shift] = ["weight", "bias"].map((part) =>
      this.#get(`${name}.${part}`),
    );
    return layerNorm(vectors, scale, shift, this.config.layer_norm_eps);
  }
}

/**
 * As many vectors as `length`, each with its share of the numbers.
 * @param {Vectors} flat
 * @param {number} length
 */
function rows(flat, length) {
  const width = flat.length / length;
  return Array.from({ length }, (_, row) =>
    flat.subarray(row * width, (row + 1) * width),
  );
}
