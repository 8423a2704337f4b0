// @ts-nocheck: its types are still to be written
/**
 * Material's search, fetched when a reader first opens it; and at work in pages opened from disk.
 *
 * Material's script starts a worker as soon as the page is there and sends it the whole index. Here
 * it gets something that looks like a worker, and an index without a page in it (tools/site/hooks.py
 * writes both); the worker and the true index come when the search is opened for the first time.
 */
(() => {
  const index = new URL("../search/search_index.js", document.currentScript.src);
  const [SETUP, QUERY] = [0, 2]; // types of messages: the one brings the index, the other words
  const NativeWorker = window.Worker;

  /**
   * Words without the marks that lunr takes for operators where they are none: it would refuse
   * "~15%" and "--strict", and look for nothing in "next:". What works stays: "mask~1", "mask^2",
   * "title:mask", "+mask -nsp".
   */
  const withoutStrayMarks = (words) =>
    words.replace(
      /([^\s~^:][~^]\d+(?=\s|$))|((?:^|[\s+-])(?:title|text|tags):(?=\w))|[~^:]|[+-]{2,}/g,
      (mark, fuzzy, field) => (fuzzy || field ? mark : " "),
    );

  const opened = new Promise((resolve) => {
    const toggle = document.getElementById("__search");
    if (toggle.checked)
      resolve(); // a reader was faster than this script
    else toggle.addEventListener("change", resolve, { once: true });
  });

  function load(url, document) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      Object.assign(script, { src: url, onload: resolve, onerror: reject });
      document.head.append(script);
    });
  }

  /** What a browser refuses to start from a file as a worker, started in a frame of its own. */
  async function workInFrame(url, answer) {
    const frame = document.createElement("iframe");
    frame.hidden = true;
    document.body.append(frame);
    const inside = frame.contentWindow;
    inside.postMessage = (data) => answer({ data });
    await load(url, inside.document);
    return (data) => inside.dispatchEvent(new MessageEvent("message", { data }));
  }

  function work(url, answer) {
    if (location.protocol === "file:") return workInFrame(url, answer);
    const worker = new NativeWorker(url);
    worker.addEventListener("message", answer);
    return (data) => worker.postMessage(data);
  }

  window.Worker = class extends EventTarget {
    #post;

    constructor(url) {
      super();
      const answer = ({ data }) => this.dispatchEvent(new MessageEvent("message", { data }));
      this.#post = opened
        .then(() => Promise.all([work(url, answer), load(index, document)]))
        .then(([post]) => post);
      this.#post.catch(() => {
        const said = document.querySelector(".md-search-result__meta");
        said.textContent = "The search could not be loaded.";
      });
    }

    async postMessage(message) {
      try {
        const post = await this.#post;
        if (message.type === SETUP) message.data.docs = window.__index.docs;
        if (message.type === QUERY) message.data = withoutStrayMarks(message.data);
        post(message);
      } catch {
        // already reported
      }
    }
  };
})();
