/**
 * BERT's forward pass with all of the lesson's heads, on one input at a time.
 *
 * Names follow transformers' state dict. A matrix is a Float32Array, row by row, as in PyTorch; the
 * vectors of an input are one after the other, `(length, hidden)`. There is no padding, so no
 * attention mask; and no dropout, since nothing is trained here.
 */

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
 */

/** @typedef {Float32Array} Vectors One after the other, `(length, width)`. */

export class Bert {
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
   * The encoder: one vector for each token, `(length, hidden)`.
   * @param {ArrayLike<number>} ids
   * @param {ArrayLike<number>} segments
   */
  encode(ids, segments) {
    let hidden = this.#embed(ids, segments);
    for (let layer = 0; layer < this.config.num_hidden_layers; layer++) {
      hidden = this.#layer(`bert.encoder.layer.${layer}`, hidden);
    }
    return hidden;
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
   * Each token attends to all tokens, on both sides: no mask hides what comes later.
   * @param {string} name
   * @param {Vectors} hidden
   */
  #attend(name, hidden) {
    const { hidden_size: width, num_attention_heads: heads } = this.config;
    const [query, key, value] = ["query", "key", "value"].map((part) =>
      this.#linear(`${name}.attention.self.${part}`, hidden),
    );
    const length = hidden.length / width;
    const size = width / heads;
    const context = new Float32Array(hidden.length);
    const scores = new Float32Array(length);
    // --8<-- [start:all-to-all]
    for (let begin = 0; begin < width; begin += size) {
      for (let i = 0; i < length; i++) {
        for (let j = 0; j < length; j++) {
          const [from, to] = [i * width + begin, j * width + begin];
          scores[j] = dot(query, from, key, to, size) / Math.sqrt(size);
        }
        const shares = softmax(scores);
        for (let j = 0; j < length; j++) {
          for (let k = begin; k < begin + size; k++) {
            context[i * width + k] += shares[j] * value[j * width + k];
          }
        }
      }
    }
    // --8<-- [end:all-to-all]
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
    const words = this.#get("bert.embeddings.word_embeddings.weight");
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
    return linear(
      vectors,
      this.#get(`${name}.weight`),
      this.#get(`${name}.bias`),
    );
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
 * Each vector is shifted to mean 0 and scaled to variance 1, then by learned numbers.
 * @param {Vectors} vectors
 * @param {Float32Array} scale
 * @param {Float32Array} shift
 * @param {number} epsilon Is added to the variance, which may be 0.
 */
export function layerNorm(vectors, scale, shift, epsilon) {
  const width = scale.length;
  const made = new Float32Array(vectors.length);
  for (let begin = 0; begin < vectors.length; begin += width) {
    let mean = 0;
    let variance = 0;
    for (let k = 0; k < width; k++) mean += vectors[begin + k] / width;
    for (let k = 0; k < width; k++) {
      variance += (vectors[begin + k] - mean) ** 2 / width;
    }
    const unit = 1 / Math.sqrt(variance + epsilon);
    for (let k = 0; k < width; k++) {
      made[begin + k] =
        (vectors[begin + k] - mean) * unit * scale[k] + shift[k];
    }
  }
  return made;
}

/**
 * x Wᵀ + b for each vector x of `(n, width)`; W is `(outputs, width)`, as PyTorch keeps it.
 * @param {Vectors} vectors
 * @param {Float32Array} weight
 * @param {Float32Array} bias
 */
export function linear(vectors, weight, bias) {
  const outputs = bias.length;
  const width = weight.length / outputs;
  const count = vectors.length / width;
  const made = new Float32Array(count * outputs);
  for (let output = 0; output < outputs; output++) {
    const row = weight.subarray(output * width, (output + 1) * width);
    let i = 0;
    // --8<-- [start:four-at-once]
    // four vectors at once: a weight is fetched once for four products,
    // which takes a third of the time
    for (; i + 3 < count; i += 4) {
      const a = i * width;
      const b = a + width;
      const c = b + width;
      const d = c + width;
      let sumA = bias[output];
      let sumB = sumA;
      let sumC = sumA;
      let sumD = sumA;
      for (let k = 0; k < width; k++) {
        sumA += row[k] * vectors[a + k];
        sumB += row[k] * vectors[b + k];
        sumC += row[k] * vectors[c + k];
        sumD += row[k] * vectors[d + k];
      }
      made[i * outputs + output] = sumA;
      made[(i + 1) * outputs + output] = sumB;
      made[(i + 2) * outputs + output] = sumC;
      made[(i + 3) * outputs + output] = sumD;
    }
    // --8<-- [end:four-at-once]
    for (; i < count; i++) {
      made[i * outputs + output] =
        bias[output] + dot(row, 0, vectors, i * width, width);
    }
  }
  return made;
}

/**
 * The sum of the products of two stretches of numbers.
 * @param {Float32Array} a
 * @param {number} fromA
 * @param {Float32Array} b
 * @param {number} fromB
 * @param {number} size
 */
function dot(a, fromA, b, fromB, size) {
  let sum = 0;
  for (let k = 0; k < size; k++) sum += a[fromA + k] * b[fromB + k];
  return sum;
}

/**
 * @param {Float32Array} a
 * @param {Float32Array} b
 */
function add(a, b) {
  const sum = new Float32Array(a.length);
  for (let k = 0; k < sum.length; k++) sum[k] = a[k] + b[k];
  return sum;
}

/**
 * x Φ(x), where Φ is the normal distribution: 0 for very negative x, x for very positive ones.
 * @param {Float32Array} vector
 */
export const gelu = (vector) =>
  vector.map((x) => 0.5 * x * (1 + erf(x / Math.SQRT2)));

/**
 * The error function to 1.5e-7 (Abramowitz and Stegun, formula 7.1.26).
 * @param {number} x
 */
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const tail = t * (-1.453152027 + t * 1.061405429);
  const series =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + tail)));
  return Math.sign(x) * (1 - series * Math.exp(-x * x));
}

/**
 * Turns scores into probabilities, which add up to 1.
 * @template {Float32Array | number[]} Scores
 * @param {Scores} scores
 * @returns {Scores}
 */
export function softmax(scores) {
  const numbers = /** @type {number[]} */ (scores); // both kinds have what is used here
  const highest = Math.max(...numbers); // so that no exp overflows
  const exps = numbers.map((score) => Math.exp(score - highest));
  const sum = exps.reduce((a, b) => a + b, 0);
  return /** @type {Scores} */ (exps.map((number) => number / sum));
}

/**
 * The log of the sum of all exp(score): the cross-entropy of one is this, minus its score.
 * @param {Float32Array | number[]} scores
 */
export function logSumExp(scores) {
  const highest = Math.max(...scores); // so that no exp overflows, and no loss is infinite
  let sum = 0;
  for (const score of scores) sum += Math.exp(score - highest);
  return highest + Math.log(sum);
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
