/**
 * Material's search, fetched when a reader first opens it; and at work in pages opened from disk.
 *
 * Material's script starts a worker as soon as the page is there and sends it the whole index. Here
 * it gets something that looks like a worker, and an index without a page in it (tools/site/search.py
 * writes both); the worker and the true index come when the search is opened for the first time.
 */
(() => {
  /** @typedef {{type: number, data: any}} Message To and from Material's worker. */
  /** @typedef {(event: {data: Message}) => void} Answer */

  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  const index = new URL("../search/search_index.js", script.src).href;
  const [SETUP, QUERY] = [0, 2]; // types of messages: the one brings the index, the other words
  const NativeWorker = window.Worker;

  /**
   * Words without the marks that lunr takes for operators where they are none: it would refuse
   * "~15%" and "--strict", and look for nothing in "next:". What works stays: "mask~1", "mask^2",
   * "title:mask", "+mask -nsp".
   * @param {string} words
   */
  const withoutStrayMarks = (words) =>
    words.replace(
      /([^\s~^:][~^]\d+(?=\s|$))|((?:^|[\s+-])(?:title|text|tags):(?=\w))|[~^:]|[+-]{2,}/g,
      (mark, fuzzy, field) => (fuzzy || field ? mark : " "),
    );

  /** @type {Promise<void>} */
  const opened = new Promise((resolve) => {
    const toggle = /** @type {HTMLInputElement} */ (document.getElementById("__search"));
    if (toggle.checked)
      resolve(); // a reader was faster than this script
    else toggle.addEventListener("change", () => resolve(), { once: true });
  });

  /**
   * @param {string} url
   * @param {Document} document
   */
  function load(url, document) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      Object.assign(script, { src: url, onload: resolve, onerror: reject });
      document.head.append(script);
    });
  }

  /**
   * What a browser refuses to start from a file as a worker, started in a frame of its own.
   * @param {string} url
   * @param {Answer} answer
   */
  async function workInFrame(url, answer) {
    const frame = document.createElement("iframe");
    frame.hidden = true;
    document.body.append(frame);
    const inside = /** @type {Window} */ (frame.contentWindow);
    inside.postMessage = (/** @type {Message} */ data) => answer({ data });
    await load(url, inside.document);
    return (/** @type {Message} */ data) =>
      inside.dispatchEvent(new MessageEvent("message", { data }));
  }

  /**
   * @param {string} url
   * @param {Answer} answer
   * @returns {Promise<(data: Message) => unknown>} What posts a message to it.
   */
  async function work(url, answer) {
    if (location.protocol === "file:") return workInFrame(url, answer);
    const worker = new NativeWorker(url);
    worker.addEventListener("message", answer);
    return (data) => worker.postMessage(data);
  }

  class LateWorker extends EventTarget {
    #post;

    /** @param {string} url */
    constructor(url) {
      super();
      /** @type {Answer} */
      const answer = ({ data }) => this.dispatchEvent(new MessageEvent("message", { data }));
      this.#post = opened
        .then(() => Promise.all([work(url, answer), load(index, document)]))
        .then(([post]) => post);
      this.#post.catch(() => {
        const said = /** @type {HTMLElement} */ (document.querySelector(".md-search-result__meta"));
        said.textContent = "The search could not be loaded.";
      });
    }

    /** @param {Message} message */
    async postMessage(message) {
      try {
        const post = await this.#post;
        if (message.type === SETUP) message.data.docs = Reflect.get(window, "__index").docs;
        if (message.type === QUERY) message.data = withoutStrayMarks(message.data);
        post(message);
      } catch {
        // already reported
      }
    }
  }
  // any other worker, such as the one that trains a model, comes at once
  const Worker = new Proxy(LateWorker, {
    construct: (late, [url, ...options]) =>
      /\/workers\/search\.[^/]*$/.test(url) ? new late(url) : new NativeWorker(url, ...options),
  });
  Object.assign(window, { Worker });
})();
