/**
 * As much of a browser's page as the widgets' own modules need to be imported and to make elements.
 * What only a browser can show is tested in one (tests/browser).
 */

class FakeNode extends EventTarget {
  /** @type {FakeElement | null} */
  parentElement = null;

  get textContent() {
    return "";
  }
}

class FakeText extends FakeNode {
  /** @param {string} data */
  constructor(data) {
    super();
    this.data = data;
  }

  get textContent() {
    return this.data;
  }
}

class FakeElement extends FakeNode {
  /** @type {FakeNode[]} */
  childNodes = [];
  /** @type {Map<string, string>} */
  attributes = new Map();
  /** @type {Record<string, string>} */
  style = {};

  /** @param {string} tagName */
  constructor(tagName) {
    super();
    this.tagName = tagName;
  }

  /** @param {(FakeNode | string)[]} children */
  append(...children) {
    for (const child of children) {
      const node = child instanceof FakeNode ? child : new FakeText(child);
      node.parentElement = this;
      this.childNodes.push(node);
    }
  }

  /**
   * @param {string} name
   * @param {string} value
   */
  setAttribute(name, value) {
    this.attributes.set(name, value);
  }

  /** @param {string} name */
  getAttribute(name) {
    return this.attributes.get(name) ?? null;
  }

  /** @param {string} name */
  removeAttribute(name) {
    this.attributes.delete(name);
  }

  cloneNode() {
    const copy = new FakeElement(this.tagName);
    copy.attributes = new Map(this.attributes);
    return copy;
  }

  /** @returns {string} */
  get textContent() {
    return this.childNodes.map(({ textContent }) => textContent).join("");
  }

  /** @returns {string} Without what it does not need, so that a test can compare it. */
  get outerHTML() {
    const attributes = [...this.attributes].map(([name, value]) => ` ${name}="${value}"`).join("");
    const inside = this.childNodes.map((node) =>
      node instanceof FakeElement ? node.outerHTML : node.textContent,
    );
    return `<${this.tagName}${attributes}>${inside.join("")}</${this.tagName}>`;
  }
}

/** A storage that refuses a text which says that it is too long. */
class FakeStorage {
  /** @param {string} key */
  getItem(key) {
    return Object.hasOwn(this, key) ? Reflect.get(this, key) : null;
  }

  /**
   * @param {string} key
   * @param {string} value
   */
  setItem(key, value) {
    if (value.includes("too long")) throw new Error("The quota has been exceeded.");
    Reflect.set(this, key, value);
  }

  /** @param {string} key */
  removeItem(key) {
    Reflect.deleteProperty(this, key);
  }
}

const page = Object.assign(new EventTarget(), {
  body: new FakeElement("body"),
  /** @param {string} tag */
  createElement: (tag) => new FakeElement(tag),
  querySelectorAll: () => [], // it has nothing on it
});
const events = new EventTarget();
Object.assign(globalThis, {
  Node: FakeNode,
  Element: FakeElement,
  Text: FakeText,
  document: page,
  location: new URL("https://lesson.test/bert/lesson/masking.html#fill-in?text=one+two&hidden=1"),
  addEventListener: events.addEventListener.bind(events),
});
Object.defineProperty(globalThis, "localStorage", { value: new FakeStorage() });

/**
 * The markup of an element.
 * @param {{outerHTML: string}} element
 */
export const markup = ({ outerHTML }) => outerHTML;

/**
 * All elements within one that have these classes, in the order of the page.
 * @param {HTMLElement} element
 * @param {string} classes
 * @returns {HTMLElement[]}
 */
export function allOf(element, classes) {
  const wanted = classes.split(" ");
  return [...element.childNodes].flatMap((node) => {
    if (!(node instanceof Element)) return [];
    const child = /** @type {HTMLElement} */ (node);
    const has = child.getAttribute("class")?.split(" ") ?? [];
    const below = allOf(child, classes);
    return wanted.every((one) => has.includes(one)) ? [child, ...below] : below;
  });
}
