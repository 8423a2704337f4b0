/**
 * What a reader has read and solved: a quiet mark in the navigation and in the overview's table.
 *
 * It is on every page, so it is small; it takes no extra room, so nothing moves. All
 * is kept in this browser. A page of practice reports its progress with
 * `remember("done:practice/match", { done: 5, of: 9 })`.
 */
import { announce, h } from "./dom.js";
import { anythingRemembered, forgetAll, onRemembered, remember, remembered } from "./state.js";

/** @typedef {[sign: string, words: string]} Mark */

const ROOT = new URL("../../", import.meta.url);
const PATH = /^(index|summary|lesson\/.+|practice\/.+)$/; // as the overview's table has it
const STAY = 4000; // milliseconds at the end of a page after which it has been read

/** The name of a page of this site, such as "lesson/masking"; "" for any other address. */
export function pageName(address = location.href, root = ROOT) {
  const url = new URL(address, root);
  if (url.origin !== root.origin || !url.pathname.startsWith(root.pathname)) return "";
  const name = url.pathname.slice(root.pathname.length).replace(/\.html$/, "");
  return name === "" || name.endsWith("/") ? `${name}index` : name;
}

/** @returns {string[]} */
const pagesRead = () => [remembered("read", [])].flat().filter((name) => typeof name === "string");

/**
 * The sign of a page and what it means; null for a page that was not read.
 * @param {unknown} progress What is remembered of its pieces, if it has any.
 * @param {boolean} isRead
 * @returns {Mark | null}
 */
export function markOf(progress, isRead) {
  const { done, of } = Object(progress);
  if (done > 0 && of > 0) {
    return done < of ? [`${+done}/${+of}`, `${+done} of ${+of}`] : ["✓", "done"];
  }
  return isRead ? ["✓", "read"] : null;
}

function paint() {
  /** @type {NodeListOf<HTMLAnchorElement | HTMLLabelElement>} */
  const links = document.querySelectorAll(".md-nav--primary .md-nav__link, table.times a");
  for (const link of links) {
    if (link.closest(".md-nav--secondary")) continue;
    // the entry of the open page is a label on a telephone, and holds the page's own contents
    const isOpenPage = link instanceof HTMLLabelElement && link.htmlFor === "__toc";
    const href = link instanceof HTMLAnchorElement ? link.href : "";
    if (!href && !isOpenPage) continue;
    const name = pageName(href || location.href);
    const mark = PATH.test(name)
      ? markOf(remembered(`done:${name}`, {}), pagesRead().includes(name))
      : null;
    const inTable = link.matches("table.times a");
    const place = (inTable && link.parentElement) || link;
    place.querySelector(":scope > .read-mark")?.remove();
    if (!mark) continue;
    const [sign, words] = mark;
    place.append(
      h(
        "span",
        { class: "read-mark", title: words },
        h("span", { "aria-hidden": "true" }, inTable && sign !== "✓" ? words : sign),
        h("span", { class: "widget-voice" }, ` ${words}`),
      ),
    );
  }
  paintControl();
}

/** On the overview, beneath the table: what is kept, and a way to delete it. */
function paintControl() {
  const table = document.querySelector("table.times");
  if (!table) return;
  /** @type {HTMLElement | null} */
  let control = document.querySelector(".forget");
  if (!control && anythingRemembered()) {
    const button = h("button", { type: "button", onclick: forget }, "Forget everything");
    const said = "What you have read (✓) and solved is kept only in this browser. ";
    control = h("p", { class: "forget", tabindex: "-1" }, said, button);
    (table.nextElementSibling ?? table).after(control);
  }

  function forget() {
    forgetAll();
    if (!control) return;
    control.textContent = "Forgotten: nothing is kept in this browser now.";
    control.focus(); // the button has gone
    announce(control.textContent ?? "");
  }
}

/** A page is read once its end was in sight for a while. */
function watchEnd() {
  const name = pageName();
  const end = document.querySelector(".md-footer");
  // where there is something to solve, reading alone is not enough
  if (!PATH.test(name) || !end || document.querySelector(".practice")) return;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const watch = new IntersectionObserver(([{ isIntersecting }]) => {
    clearTimeout(timer);
    if (isIntersecting) timer = setTimeout(stayed, STAY);
  });
  watch.observe(end);

  function stayed() {
    if (document.hidden) {
      timer = setTimeout(stayed, STAY);
      return;
    }
    watch.disconnect();
    if (!pagesRead().includes(name)) remember("read", [...pagesRead(), name]);
  }
}

export function mount() {
  paint();
  watchEnd();
  onRemembered((name) => {
    if (name === null || name === "read" || name.startsWith("done:")) paint();
  });
  addEventListener("storage", paint); // another window may have changed it
  addEventListener("pageshow", ({ persisted }) => persisted && paint());
}
