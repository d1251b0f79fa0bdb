// Elements, made without a word of HTML: whatever text is given is a text node.

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | boolean | ((event: any) => void)>} [about] Attributes; `onclick` and the like are listeners.
 * @param {...(Node | string)} inside
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, about = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(about)) {
    if (typeof value === 'function') made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, '');
    else if (value !== false) made.setAttribute(name, value);
  }
  made.append(...inside);
  return made;
}

/** @param {string} path Strokes in a square of 24. */
export function icon(path) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS(SVG, 'path');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}

/**
 * Shows these and no others, in this order; what is there already and has not changed is left alone, so that it is not read out again.
 * @param {HTMLElement} list
 * @param {Map<string, { is: string, node: HTMLElement }>} shown Of the last time.
 * @param {{ key: string, is: string, make: () => HTMLElement }[]} wanted `is`: what it shows, as one string.
 */
export function reconcile(list, shown, wanted) {
  const keys = new Set(wanted.map(({ key }) => key));
  for (const [key, { node }] of shown) {
    if (keys.has(key)) continue;
    node.remove();
    shown.delete(key);
  }
  /** @type {ChildNode | null} */
  let at = list.firstChild;
  for (const { key, is, make } of wanted) {
    let one = shown.get(key);
    if (one?.is !== is) {
      const node = make();
      if (one) {
        if (at === one.node) at = node;
        one.node.replaceWith(node);
      }
      one = { is, node };
      shown.set(key, one);
    }
    if (one.node === at) at = at.nextSibling;
    else list.insertBefore(one.node, at);
  }
}
