/**
 * Starts the parts of a page that a reader can use.
 *
 * Such a part is `<div data-widget="name">` around what the page shows without it. When it comes
 * near the window, `name.js` and `name.css` are fetched and its function `mount(host)` is called.
 * Whatever goes wrong, the page stays as it was, and one sentence says so.
 */
(() => {
  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  const folder = new URL(".", script.src);
  /** @type {NodeListOf<HTMLElement>} */
  const hosts = document.querySelectorAll("[data-widget]");
  const waiting = new Set(hosts);

  /**
   * A link with a state, such as #fill-in?text=…, leads to where it is used.
   * @param {HTMLElement} host
   */
  const isLinked = (host) => location.hash.startsWith(`#${host.dataset.widget}?`);

  /**
   * It will not start: one plain sentence replaces the one for readers without scripts.
   * @param {HTMLElement} host
   * @param {string} text
   */
  function say(host, text) {
    let note = host.querySelector(":scope > .widget-note");
    if (!note) {
      note = document.createElement("p");
      host.prepend(note);
    }
    note.className = "widget-note";
    note.textContent = text;
    host.dataset.failed = "";
  }

  /** @param {string} name */
  function addStyle(name) {
    return new Promise((resolve, reject) => {
      const link = document.createElement("link");
      const href = new URL(`${name}.css`, folder).href;
      Object.assign(link, { rel: "stylesheet", href, onload: resolve, onerror: reject });
      document.head.append(link);
    });
  }

  /** @param {HTMLElement} host */
  async function start(host) {
    const name = host.dataset.widget ?? "";
    try {
      const url = new URL(`${name}.js`, folder);
      const [{ mount }] = await Promise.all([import(url.href), addStyle(name)]);
      await mount(host);
      host.querySelector(":scope > .widget-note")?.remove();
      host.dataset.started = "";
      if (isLinked(host)) host.scrollIntoView();
    } catch {
      say(host, "This part could not be loaded; the text covers everything that it shows.");
    }
  }

  if (location.protocol === "file:") {
    for (const host of hosts) {
      say(host, "This page was opened from a file, where browsers run no interactive parts.");
    }
    return;
  }
  import(new URL("progress.js", folder).href).then(
    ({ mount }) => mount(),
    () => {},
  );
  if (document.querySelector(".claim data") && !document.querySelector("[data-widget=guess]")) {
    import(new URL("guess.js", folder).href).then(
      ({ mount }) => mount(),
      () => {},
    );
  }
  const near = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (isIntersecting) begin(/** @type {HTMLElement} */ (target));
      }
    },
    { rootMargin: "300px" },
  );
  for (const host of hosts) near.observe(host);

  /**
   * Each part starts once.
   * @param {HTMLElement} host
   */
  function begin(host) {
    if (!waiting.delete(host)) return;
    near.unobserve(host);
    start(host);
  }

  const beginLinked = () => [...waiting].filter(isLinked).forEach(begin);
  beginLinked();
  addEventListener("hashchange", beginLinked); // such a link on the open page
})();
