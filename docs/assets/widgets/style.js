/** Styles that parts of several widgets share: each is fetched with the first that needs it. */

/**
 * Adds a style sheet, unless the page has it; it is never imported by another one, whose address
 * axe-core takes for relative to the page.
 * @param {string} name Such as "chart", for chart.css.
 * @returns {Promise<unknown>} Is fulfilled once it has come, and rejected if it does not.
 */
export async function addStyle(name) {
  const { href } = new URL(`${name}.css`, import.meta.url);
  if ([...document.styleSheets].some((sheet) => sheet.href === href)) return;
  await new Promise((resolve, reject) => {
    const link = document.createElement("link");
    Object.assign(link, { rel: "stylesheet", href, onload: resolve, onerror: reject });
    document.head.append(link);
  });
}
