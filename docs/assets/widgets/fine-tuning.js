/** Fine-tune it yourself: a reader's own labels, and two models that learn from them here. */
import { fetchJSON } from "../bert/model.js";
import { announce, h } from "./dom.js";
import { Panel } from "./fine-tuning/panel.js";
import { readMaterial, readSet, TASKS, writeSet } from "./fine-tuning/sets.js";
import { followAddress, linkButton, remember, remembered } from "./state.js";
import { addStyle } from "./style.js";
import { makeTabs } from "./tabs.js";

/** @typedef {import("./fine-tuning/sets.js").Task} Task */

const NAME = "fine-tuning";
const FILE = "labels.json";
const NO_SET = "holds no labelled sentences that this page could read.";

/** @param {HTMLElement} host */
export async function mount(host) {
  const [data] = await Promise.all([fetchJSON("fine-tuning.json"), addStyle("chart")]);
  const widget = new FineTuning(readMaterial(data));
  host.append(...widget.elements());
  followAddress(host, NAME, (brought) => widget.openLink(brought));
}

class FineTuning {
  /** @type {Task} */
  task = "sentences";
  note = h("p", { class: "widget-error", hidden: true });
  file = h("input", { type: "file", accept: ".json,application/json", hidden: true });
  tabs = makeTabs(NAME, "What you label", { sentences: "Sentences", words: "Words" }, (task) => {
    this.task = /** @type {Task} */ (task);
  });

  /** @param {import("./fine-tuning/sets.js").Material} material */
  constructor(material) {
    /** @param {Task} task */
    const panel = (task) => {
      const kept = readSet(Object(remembered(NAME, null))[task]);
      const keep = () => this.keep();
      const set = kept?.task === task ? kept.set : null;
      return new Panel(task, this.tabs.panels[task], material, set, keep);
    };
    this.panels = { sentences: panel("sentences"), words: panel("words") };
    this.file.addEventListener("change", () => this.openFile());
  }

  elements() {
    const quiet = { type: "button", class: "quiet" };
    return [
      this.tabs.row,
      ...Object.values(this.tabs.panels),
      h(
        "div",
        { class: "widget-buttons" },
        linkButton(NAME, () => ({ set: this.written() })),
        h("button", { ...quiet, onclick: () => this.save() }, "Save as a file"),
        h("button", { ...quiet, onclick: () => this.file.click() }, "Open a file"),
        this.file,
      ),
      this.note,
    ];
  }

  /** The labelled set of the open tab. */
  written() {
    return JSON.stringify(writeSet(this.task, this.panels[this.task].set));
  }

  keep() {
    const sets = TASKS.map((task) => [task, writeSet(task, this.panels[task].set)]);
    remember(NAME, Object.fromEntries(sets));
  }

  save() {
    const url = URL.createObjectURL(new Blob([this.written()], { type: "application/json" }));
    h("a", { href: url, download: FILE }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    announce(`Saved as ${FILE}`);
  }

  async openFile() {
    const [file] = this.file.files ?? [];
    if (file) this.open(await file.text().catch(() => ""), `The file ${file.name}`);
    this.file.value = ""; // so that the same one can be opened again
  }

  /** @param {URLSearchParams} brought */
  openLink(brought) {
    this.open(brought.get("set") ?? "", "The link");
  }

  /**
   * @param {string} text
   * @param {string} what It came from.
   */
  open(text, what) {
    const found = readSet(parsed(text));
    this.note.hidden = found !== null;
    this.note.textContent = found ? "" : `${what} ${NO_SET}`;
    if (!found) return announce(this.note.textContent);
    this.task = found.task;
    this.tabs.open(found.task);
    this.panels[found.task].begin(found.set, `${found.set.rows.length} labelled sentences opened.`);
  }
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
