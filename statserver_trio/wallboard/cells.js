// Cells: places on the page that are touched only where what they show has changed, because a
// browser lays out anew whatever is written to, whether it is the same or not.

/** An element with class, text and children. */
export function element(tag, className = "", ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** One element, and what was last written to it. */
export class Cell {
  constructor(node) {
    this.node = node;
    this._text = node.textContent;
    this._attributes = {};
  }

  text(text) {
    if (text === this._text) return;
    this._text = text;
    const first = this.node.firstChild;
    if (first !== null && first === this.node.lastChild && first.nodeType === Node.TEXT_NODE) {
      first.data = text;
    } else {
      this.node.textContent = text;
    }
  }

  /** An attribute; null or empty takes it away. */
  attribute(name, value) {
    if (this._attributes[name] === value) return;
    this._attributes[name] = value;
    if (value === null || value === "") this.node.removeAttribute(name);
    else this.node.setAttribute(name, value);
  }

  hidden(isHidden) {
    if (this.node.hidden !== isHidden) this.node.hidden = isHidden;
  }
}

/**
 * A list of elements by id, which are made, put in order and taken away, and nothing else of them.
 */
export class Rows {
  constructor(parent, make) {
    this._parent = parent;
    this._make = make; // from an id and a datum to {node, ...}
    this.byId = new Map();
  }

  /**
   * Have exactly these, in this order: an iterable of [id, datum]. So many at most are made in one
   * call; whether all are there.
   */
  show(wanted, atOnce = Infinity) {
    const all = new Map(wanted);
    let left = atOnce;
    for (const [id, row] of this.byId) {
      if (all.has(id)) continue;
      row.node.remove();
      this.byId.delete(id);
    }
    let before = this._parent.firstElementChild;
    for (const [id, datum] of all) {
      let row = this.byId.get(id);
      if (row === undefined) {
        if (left === 0) continue;
        left -= 1;
        row = this._make(id, datum);
        this.byId.set(id, row);
      }
      if (row.node === before) before = before.nextElementSibling;
      else this._parent.insertBefore(row.node, before);
    }
    return this.byId.size === all.size;
  }
}
