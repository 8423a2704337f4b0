// @ts-nocheck: its types are still to be written
/**
 * Starts the parts of a page that a reader can use.
 *
 * Such a part is `<div data-widget="name">` around what the page shows without it. When it comes
 * near the window, `name.js` and `name.css` are fetched and its function `mount(host)` is called.
 * Whatever goes wrong, the page stays as it was, and one sentence says so.
 */
(() => {
  const folder = new URL(".", document.currentScript.src);
  const hosts = document.querySelectorAll("[data-widget]");
  const waiting = new Set(hosts);

  /** A link with a state, such as #fill-in?text=…, leads to where it is used. */
  const isLinked = (host) => location.hash.startsWith(`#${host.dataset.widget}?`);

  /** It will not start: one plain sentence replaces the one for readers without scripts. */
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

  function addStyle(name) {
    return new Promise((resolve, reject) => {
      const link = document.createElement("link");
      Object.assign(link, { rel: "stylesheet", href: new URL(`${name}.css`, folder) });
      Object.assign(link, { onload: resolve, onerror: reject });
      document.head.append(link);
    });
  }

  async function start(host) {
    const name = host.dataset.widget;
    try {
      const [{ mount }] = await Promise.all([
        import(new URL(`${name}.js`, folder)),
        addStyle(name),
      ]);
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
  import(new URL("progress.js", folder)).then(
    ({ mount }) => mount(),
    () => {},
  );
  const near = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) if (isIntersecting) begin(target);
    },
    { rootMargin: "300px" },
  );
  for (const host of hosts) near.observe(host);

  /** Each part starts once. */
  function begin(host) {
    if (!waiting.delete(host)) return;
    near.unobserve(host);
    start(host);
  }

  const beginLinked = () => [...waiting].filter(isLinked).forEach(begin);
  beginLinked();
  addEventListener("hashchange", beginLinked); // such a link on the open page
})();
