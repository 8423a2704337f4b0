/**
 * Makes what Material's script puts into a page fit for the keyboard and for screen readers, and
 * tells readers when start.js, which starts the parts that they can use, could not be loaded.
 */
(() => {
  // That script can say nothing itself. Errors of loading do not bubble, but can be captured.
  /** @param {Event} event */
  const sayThatNothingStarts = ({ target }) => {
    const isStart = target instanceof HTMLScriptElement && target.src.endsWith("/widgets/start.js");
    if (!isStart) return;
    for (const note of document.querySelectorAll("[data-widget] > .widget-note")) {
      // as start.js says it of a single part
      note.textContent = "This part could not be loaded; the text covers everything that it shows.";
      if (note.parentElement) note.parentElement.dataset.failed = "";
    }
  };
  addEventListener("error", sayThatNothingStarts, { capture: true });

  // Material's script, which comes after this one, takes each alternate for a translation of the site
  // and asks for its sitemap. To readers of the page "alternate " is the same word, to it another.
  for (const link of document.querySelectorAll("link[rel=alternate]")) {
    link.setAttribute("rel", "alternate ");
  }

  // What has to be pushed sideways, a table or code, can be reached, and pushed with the arrow keys.
  const sizes = new ResizeObserver((entries) => {
    // all are measured before one is changed, or each change would cost a layout
    const wide = entries.map(({ target }) => target.scrollWidth > target.clientWidth);
    for (const [i, { target }] of entries.entries()) {
      if (wide[i]) target.setAttribute("tabindex", "0");
      else target.removeAttribute("tabindex");
    }
  });

  const additions = new MutationObserver((records) => {
    for (const element of records.flatMap((record) => [...record.addedNodes])) {
      if (!(element instanceof Element)) continue;
      if (element.matches(".md-typeset__scrollwrap")) sizes.observe(element);
      // The buttons of a code block are no landmark of the page.
      if (element.matches(".md-code__nav")) element.setAttribute("role", "none");
    }
  });
  for (const code of document.querySelectorAll("article pre > code")) sizes.observe(code);
  const article = /** @type {HTMLElement} */ (document.querySelector("article"));
  additions.observe(article, { childList: true, subtree: true });
})();
