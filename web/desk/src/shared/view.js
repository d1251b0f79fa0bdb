// What a page shows, described as a value, and the page changed to be like it. A description is made anew as often as one likes; elements stay
// what they are where the description of them stays, so that focus, selection, scrolling and what a reader reads out are left alone.
//
// Whatever text is given becomes a text node. There is no way to give markup.

const SVG = 'http://www.w3.org/2000/svg';
const TEXT = '#text';
const MEMO = '#memo';

/**
 * @typedef {View | string | number | boolean | null | undefined | readonly Kid[]} Kid
 * @typedef {Record<string, any>} Props Attributes. `onclick` and the like are listeners; `value`, `checked` and `scrollTop` are the element's own;
 *   `initial` is a field's value until somebody writes there; `style` is an object; `key` tells it among others; `ref` is called with the element once it is made.
 *
 * @typedef {object} View
 * @property {string} tag
 * @property {string | number | undefined} key
 * @property {Props} props
 * @property {View[]} kids
 * @property {string} [text]
 * @property {readonly unknown[]} [rests] Of a memo: what it rests on.
 * @property {() => View} [make]
 * @property {View} [inner]
 * @property {any} [node] Once it is shown.
 */

/** @type {Props} */
const NOTHING = Object.freeze({});
/** @type {View[]} */
const NONE = [];

/**
 * @param {string} tag
 * @param {Props | null} [props]
 * @param {...Kid} kids
 * @returns {View}
 */
export function h(tag, props, ...kids) {
  const given = props ?? NOTHING;
  return { tag, key: given.key, props: given, kids: kids.length === 0 ? NONE : flat(kids, []) };
}

/**
 * A part that is described anew only when what it rests on is another.
 * @param {string | number} key
 * @param {readonly unknown[]} rests
 * @param {() => View} make
 * @returns {View}
 */
export function memo(key, rests, make) {
  return { tag: MEMO, key, props: NOTHING, kids: NONE, rests, make };
}

/**
 * @param {readonly Kid[]} kids
 * @param {View[]} out
 */
function flat(kids, out) {
  for (const kid of kids) {
    if (kid === null || kid === undefined || typeof kid === 'boolean') continue;
    if (typeof kid === 'string' || typeof kid === 'number') out.push({ tag: TEXT, key: undefined, props: NOTHING, kids: NONE, text: String(kid) });
    else if (Array.isArray(kid)) flat(kid, out);
    else out.push(/** @type {View} */ (kid));
  }
  return out;
}

/** @type {WeakMap<Element, View[]>} */
const shown = new WeakMap();

/**
 * Makes what is inside an element like this.
 * @param {Element} root
 * @param {...Kid} kids
 */
export function render(root, ...kids) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const next = flat(kids, []);
  patchKids(root, shown.get(root) ?? NONE, next, root.namespaceURI === SVG);
  shown.set(root, next);
  // An element that was moved loses the focus.
  if (focused && focused !== document.activeElement && focused.isConnected && root.contains(focused)) focused.focus({ preventScroll: true });
}

/**
 * @param {Element} parent
 * @param {View[]} old
 * @param {View[]} next
 * @param {boolean} svg
 */
function patchKids(parent, old, next, svg) {
  const before = named(old);
  const wanted = named(next);
  for (const [name, view] of before) if (!wanted.has(name)) view.node.remove();
  /** @type {ChildNode | null} What nobody here has made stays behind. */
  let at = parent.firstChild;
  for (const [name, view] of wanted) {
    const was = before.get(name);
    const here = was !== undefined && at === was.node;
    if (was) patch(was, view, svg);
    else create(view, svg);
    const { node } = view;
    if (here) at = node;
    if (node === at) at = at?.nextSibling ?? null;
    else parent.insertBefore(node, at);
  }
}

/**
 * By key; those without by their tag and place among those.
 * @param {View[]} views
 * @returns {Map<string, View>}
 */
function named(views) {
  const all = new Map();
  /** @type {Record<string, number>} */
  const counts = {};
  for (const view of views) {
    const tag = view.tag;
    const name = view.key === undefined ? `${tag}:${(counts[tag] = (counts[tag] ?? 0) + 1)}` : `${tag}=${view.key}`;
    if (all.has(name)) throw new Error(`two of one key: ${name}`);
    all.set(name, view);
  }
  return all;
}

/**
 * @param {View} view
 * @param {boolean} svg
 */
function create(view, svg) {
  if (view.tag === TEXT) {
    view.node = document.createTextNode(view.text ?? '');
  } else if (view.tag === MEMO) {
    view.inner = view.make?.() ?? h('span');
    create(view.inner, svg);
    view.node = view.inner.node;
  } else {
    const inSvg = svg || view.tag === 'svg';
    const node = inSvg ? document.createElementNS(SVG, view.tag) : document.createElement(view.tag);
    view.node = node;
    patchKids(node, NONE, view.kids, inSvg);
    patchProps(node, NOTHING, view.props);
    view.props.ref?.(node);
  }
}

/**
 * @param {View} old
 * @param {View} next
 * @param {boolean} svg
 */
function patch(old, next, svg) {
  next.node = old.node;
  if (next.tag === TEXT) {
    if (next.text !== old.text) old.node.data = next.text;
  } else if (next.tag === MEMO) {
    const same = old.rests?.length === next.rests?.length && old.rests?.every((one, place) => Object.is(one, next.rests?.[place]));
    next.inner = same ? old.inner : next.make?.();
    if (same || !old.inner || !next.inner) return;
    if (old.inner.tag === next.inner.tag) {
      patch(old.inner, next.inner, svg);
    } else {
      create(next.inner, svg);
      old.node.replaceWith(next.inner.node);
    }
    next.node = next.inner.node;
  } else {
    patchKids(next.node, old.kids, next.kids, svg || next.tag === 'svg');
    patchProps(next.node, old.props, next.props);
  }
}

/** What an element says by itself and not by an attribute. */
const OWN = new Set(['value', 'checked', 'indeterminate', 'scrollTop', 'disabled', 'hidden', 'selected']);
const APART = new Set(['key', 'ref', 'style']);

/** @type {WeakMap<Element, Record<string, (event: any) => void>>} */
const heard = new WeakMap();

/**
 * @param {any} node
 * @param {Props} old
 * @param {Props} next
 */
function patchProps(node, old, next) {
  for (const name of Object.keys(old)) if (!(name in next)) patchProp(node, name, undefined);
  for (const [name, value] of Object.entries(next)) {
    // The person may have changed what the element says by itself.
    if (OWN.has(name) ? node[name] !== value : old[name] !== value) patchProp(node, name, value);
  }
  if (old.style || next.style) patchStyle(node, old.style ?? {}, next.style ?? {});
}

/**
 * @param {any} node
 * @param {string} name
 * @param {any} value
 */
function patchProp(node, name, value) {
  if (APART.has(name)) return;
  if (name.startsWith('on')) return listen(node, name.slice(2), value);
  if (name === 'initial') node.value = value ?? '';
  else if (OWN.has(name)) node[name] = value ?? (name === 'value' ? '' : name === 'scrollTop' ? 0 : false);
  else if (value === undefined || value === null || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? '' : String(value));
}

/**
 * @param {Element} node
 * @param {string} event
 * @param {((event: any) => void) | undefined} run
 */
function listen(node, event, run) {
  let all = heard.get(node);
  if (!all) heard.set(node, (all = {}));
  // One listener for each kind, whatever it does now.
  if (!(event in all)) node.addEventListener(event, (happened) => heard.get(node)?.[event]?.(happened));
  all[event] = run ?? (() => {});
}

/**
 * @param {any} node
 * @param {Record<string, string>} old
 * @param {Record<string, string>} next
 */
function patchStyle(node, old, next) {
  for (const name of Object.keys(old)) if (!(name in next)) node.style.removeProperty(name);
  for (const [name, value] of Object.entries(next)) if (old[name] !== value) node.style.setProperty(name, value);
}

/**
 * Draws once for all that happened in between: with the next frame, or soon where a hidden page has no frames.
 * @param {() => void} draw
 * @returns {() => void} Asks for it.
 */
export function redrawing(draw) {
  let asked = false;
  const run = () => {
    if (!asked) return;
    asked = false;
    draw();
  };
  // A frame that was asked for when the page was hidden comes when it is seen again.
  document.addEventListener('visibilitychange', run);
  return () => {
    if (asked) return;
    asked = true;
    if (document.visibilityState === 'hidden') setTimeout(run, 0);
    else requestAnimationFrame(run);
  };
}
