// By how much the page has moved since it was opened, in `layout.moved`.
{
  const layout = { moved: 0 };
  Object.assign(window, { layout });
  new PerformanceObserver((list) => {
    /** @typedef {PerformanceEntry & {value: number}} LayoutShift */
    for (const entry of /** @type {LayoutShift[]} */ (list.getEntries())) {
      layout.moved += entry.value;
    }
  }).observe({ type: "layout-shift", buffered: true });
}
