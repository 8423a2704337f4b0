/** For the tests of any page: what moves, what is cut off, what has the focus. */

/** @typedef {PerformanceEntry & {value: number, hadRecentInput: boolean}} LayoutShift */

/**
 * By how much the page has moved, as browsers reckon it.
 * @param {{withInput: boolean}} options Whether that counts which the reader has done.
 */
export const shift = ({ withInput }) =>
  new Promise((done) => {
    let sum = 0;
    new PerformanceObserver((list) => {
      for (const entry of /** @type {LayoutShift[]} */ (list.getEntries())) {
        if (withInput || !entry.hadRecentInput) sum += entry.value;
      }
    }).observe({ type: "layout-shift", buffered: true });
    setTimeout(() => done(sum), 300);
  });

/** The words of figures that reach beyond their figure. */
export function cutOffWords() {
  /** @type {NodeListOf<SVGTextElement>} */
  const texts = document.querySelectorAll("article svg text");
  const isCut = (/** @type {SVGTextElement} */ text) => {
    const word = text.getBoundingClientRect();
    const figure = text.ownerSVGElement?.getBoundingClientRect() ?? word;
    return word.left < figure.left - 1 || word.right > figure.right + 1;
  };
  return [...texts].filter(isCut).map((text) => text.textContent);
}

function unfold() {
  /** @type {NodeListOf<HTMLDetailsElement>} */
  const folds = document.querySelectorAll("article details");
  for (const fold of folds) fold.open = true;
}

/** The code and outputs that are wider than their boxes, folded ones included. */
export function cutOffCode() {
  unfold();
  const boxes = [...document.querySelectorAll("article pre:not(.wide), article pre > code")];
  return boxes
    .filter((box) => box.scrollWidth > box.clientWidth + 1)
    .map((box) => `${box.scrollWidth - box.clientWidth} px: ${box.textContent}`);
}

/**
 * The code and outputs in smaller type than this, folded ones included.
 * @param {number} least In pixels.
 */
export function smallType(least) {
  unfold();
  const sized = (/** @type {Element} */ box) => Number.parseFloat(getComputedStyle(box).fontSize);
  return [...document.querySelectorAll("article :is(pre.output, pre > code)")]
    .filter((box) => sized(box) < least - 0.001)
    .map((box) => `${sized(box)} px: ${box.textContent}`);
}

/** What has the focus, if nothing shows that it does; "" if something does. */
export function invisibleFocus() {
  const at = document.activeElement;
  if (!at) return "nothing";
  // the switch of the scheme is drawn by the label beside it, the search by its form
  const isOutlined = [at, at.nextElementSibling, at.parentElement].some((element) => {
    if (!element) return false;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 1;
  });
  return isOutlined || at.matches("body, .md-search__input") ? "" : at.outerHTML;
}

/** What becomes of a text that is run as a script: "it ran", or the name of an error. */
export const evaluateText = () =>
  new Promise((done) => {
    const evaluate = () => new Function("return 'it ran'")();
    // in a task of its own: what the tools of a developer evaluate themselves is exempt
    setTimeout(() => {
      try {
        done(evaluate());
      } catch (error) {
        done(/** @type {Error} */ (error).name);
      }
    });
  });

/** Puts a script into the page that sets `broken`. */
export function insertScript() {
  const script = document.createElement("script");
  script.textContent = "window.broken = true";
  document.body.append(script);
}

/**
 * How high the words of an element are, without its padding.
 * @param {Element} element
 */
export function heightOfWords(element) {
  const words = document.createRange();
  words.selectNodeContents(element);
  return words.getBoundingClientRect().height;
}

/**
 * For how many seconds something within an element takes to change, at most.
 * @param {Element} element
 */
export function longestMotion(element) {
  const seconds = [...element.querySelectorAll("*")].flatMap((part) => {
    const { transitionDuration, animationDuration } = getComputedStyle(part);
    return [transitionDuration, animationDuration].map(Number.parseFloat);
  });
  return Math.max(...seconds);
}

/**
 * Whether an element can be seen and touched, and nothing beside it lies on it.
 * @param {Element} mark
 */
export function isUncovered(mark) {
  const { left, right, top, bottom } = mark.getBoundingClientRect();
  const at = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  const beside = [...(mark.parentElement?.children ?? [])].every(
    (other) => other === mark || other.getBoundingClientRect().right <= left,
  );
  return mark.contains(at) && beside;
}
