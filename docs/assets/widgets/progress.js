// @ts-nocheck: its types are still to be written
/**
 * What a reader has read and solved: a quiet mark in the navigation and in the overview's table.
 *
 * It is on every page, so it is small; it takes no extra room, so nothing moves. All
 * is kept in this browser. A page of practice reports its progress with
 * `remember("done:practice/match", { done: 5, of: 9 })`.
 */
import { announce, h } from "./dom.js";
import { anythingRemembered, forgetAll, remember, remembered } from "./state.js";

const ROOT = new URL("../../", import.meta.url);
const PATH = /^(index|summary|lesson\/.+|practice\/.+)$/; // as the overview's table has it
const STAY = 4000; // milliseconds at the end of a page after which it has been read

/** The name of a page of this site, such as "lesson/masking"; "" for any other address. */
export function pageName(address = location.href) {
  const url = new URL(address, location.href);
  if (url.origin !== ROOT.origin || !url.pathname.startsWith(ROOT.pathname)) return "";
  const name = url.pathname.slice(ROOT.pathname.length).replace(/\.html$/, "");
  return name === "" || name.endsWith("/") ? `${name}index` : name;
}

const pagesRead = () => [remembered("read", [])].flat().filter((name) => typeof name === "string");

/** The sign of a page and what it means; null for a page that was not read. */
function markOf(name) {
  const { done, of } = Object(remembered(`done:${name}`, {}));
  if (done > 0 && of > 0) {
    return done < of ? [`${+done}/${+of}`, `${+done} of ${+of}`] : ["✓", "done"];
  }
  return pagesRead().includes(name) ? ["✓", "read"] : null;
}

function paint() {
  for (const link of document.querySelectorAll(".md-nav--primary .md-nav__link, table.times a")) {
    // the entry of the open page is a label on a telephone, and holds the page's own contents
    if (link.closest(".md-nav--secondary") || (!link.href && link.htmlFor !== "__toc")) continue;
    const name = pageName(link.href ?? location.href);
    const mark = PATH.test(name) ? markOf(name) : null;
    const inTable = link.matches("table.times a");
    const place = inTable ? link.parentNode : link;
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
  let control = document.querySelector(".forget");
  if (!control && anythingRemembered()) {
    const button = h("button", { type: "button", onclick: forget }, "Forget everything");
    const said = "What you have read (✓) and solved is kept only in this browser. ";
    control = h("p", { class: "forget", tabindex: "-1" }, said, button);
    (table.nextElementSibling ?? table).after(control);
  }

  function forget() {
    forgetAll();
    control.textContent = "Forgotten: nothing is kept in this browser now.";
    control.focus(); // the button has gone
    announce(control.textContent);
  }
}

/** A page is read once its end was in sight for a while. */
function watchEnd() {
  const name = pageName();
  const end = document.querySelector(".md-footer");
  // where there is something to solve, reading alone is not enough
  if (!PATH.test(name) || !end || document.querySelector(".practice")) return;
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
  document.addEventListener("remembered", ({ detail }) => {
    if (detail === null || detail === "read" || detail.startsWith("done:")) paint();
  });
  addEventListener("storage", paint); // another window may have changed it
  addEventListener("pageshow", ({ persisted }) => persisted && paint());
}
