// A connection to one member: a WebSocket that is opened again and again, for as long as the page
// lives. What is said over it is pair.js's; here are the socket and the timers.

import {SUBPROTOCOL} from "./protocol.js";

const RETRY_FIRST_SECONDS = 0.2, RETRY_LIMIT_SECONDS = 5; // between two attempts, with jitter
const CONNECT_SECONDS = 5;

export const now = () => performance.now() / 1000;

/** Where the WebSocket of a member is, whose pages are at `url`. */
export const socketUrl = (url) => `${url.replace(/^http/, "ws").replace(/\/$/, "")}/ws`;

/**
 * One member.
 *
 * @param url of its pages
 * @param hooks `connected()`, `text(data)`, `lost(why)` and `due(now)`, which says what is to be
 *     done because of the time
 */
export class Connection {
  constructor(url, hooks) {
    this._url = url;
    this._hooks = hooks;
    this._attempts = 0;
    this._socket = null;
    this._timer = 0;
    this._isOver = false;
    this._dial();
  }

  send(text) {
    if (this._socket?.readyState === WebSocket.OPEN) this._socket.send(text);
  }

  /** For ever; the member is not one any more. */
  close() {
    this._isOver = true;
    this._lose("not a member any more");
  }

  _dial() {
    const socket = new WebSocket(socketUrl(this._url), SUBPROTOCOL);
    this._socket = socket;
    socket.onopen = () => {
      if (socket !== this._socket) return;
      this._attempts = 0;
      this._hooks.connected();
      this._watch();
    };
    socket.onmessage = ({data}) => {
      if (socket === this._socket) this._hooks.text(data);
    };
    socket.onclose = ({reason}) => {
      if (socket === this._socket) this._lose(reason || "the connection was closed");
    };
    this._after(CONNECT_SECONDS, () => this._lose("it does not answer"));
  }

  _after(seconds, action) {
    clearTimeout(this._timer);
    this._timer = setTimeout(action, Math.max(0, seconds * 1000));
  }

  /** Look again when something is due: who is silent is asked, and at last taken for lost. */
  _watch() {
    const {at, send, lost} = this._hooks.due(now());
    if (lost) {
      this._lose(lost);
      return;
    }
    if (send) this.send(send);
    this._after(at - now(), () => this._watch());
  }

  /** A dead network closes nothing: we do not wait for its goodbye. */
  _lose(why) {
    const socket = this._socket;
    if (socket === null) return;
    this._socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    this._hooks.lost(why);
    clearTimeout(this._timer);
    if (this._isOver) return;
    const pause = Math.min(RETRY_FIRST_SECONDS * 2 ** this._attempts, RETRY_LIMIT_SECONDS);
    this._attempts = Math.min(this._attempts + 1, 10);
    this._after(pause * (0.5 + Math.random() / 2), () => this._dial());
  }
}
