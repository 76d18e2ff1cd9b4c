"""Looking at a page: what it shows, when that changed, and what it complained of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from attrs import define, field

from .site import wait_until

# What is written to a cell, and what turns old, and when, by the wall clock; begun before the
# page's own scripts.
WATCH = """
window.moves = [];
window.turned = [];
window.violations = [];
document.addEventListener("securitypolicyviolation",
  (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
document.addEventListener("DOMContentLoaded", () => {
  new MutationObserver((records) => {
    for (const {target} of records) {
      const cell = target.nodeType === Node.TEXT_NODE ? target.parentElement : target;
      const of = cell?.closest(".tile .value, .agent .word, .chip");
      if (!of) continue;
      const tile = of.closest(".tile");
      window.moves.push({
        at: Date.now() / 1000, text: of.textContent,
        what: tile ? `${tile.querySelector("h3").textContent} ${of.parentElement.className}`
          : of.classList.contains("chip") ? "chip" : "agent",
      });
      if (window.moves.length > 20000) window.moves.shift();
    }
  }).observe(document.body, {childList: true, characterData: true, subtree: true});
  new MutationObserver((records) => {
    for (const {target} of records) {
      if (target.hasAttribute("data-old")) {
        window.turned.push({at: Date.now() / 1000, what: target.classList[0]});
      }
    }
  }).observe(document.body, {attributeFilter: ["data-old"], subtree: true});
});
"""
# A frame is over when a message that was posted in it is heard: then the browser has laid it out.
FRAMES = """
window.frames_ms = [];
const real = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (draw) => real((time) => {
  const began = performance.now();
  draw(time);
  const {port1, port2} = new MessageChannel();
  port1.onmessage = () => window.frames_ms.push(performance.now() - began);
  port2.postMessage(0);
});
"""
# What goes to the loudspeaker goes to an ear of ours as well: how high it is, and how loud at most.
LISTEN = """
window.heard = [];
const connect = AudioNode.prototype.connect, ears = new Map();
AudioNode.prototype.connect = function (target, ...rest) {
  if (target === this.context.destination) connect.call(this, earOf(this.context));
  return connect.call(this, target, ...rest);
};
const earOf = (context) => {
  if (!ears.has(context)) {
    const ear = context.createAnalyser(), samples = new Float32Array(ear.fftSize);
    const bins = new Float32Array(ear.frequencyBinCount);
    ears.set(context, ear);
    setInterval(() => {
      ear.getFloatTimeDomainData(samples);
      ear.getFloatFrequencyData(bins);
      const peak = Math.max(...samples), highest = bins.indexOf(Math.max(...bins));
      if (peak > 0.01) window.heard.push({peak, hertz: highest * context.sampleRate / ear.fftSize});
    }, 20);
  }
  return ears.get(context);
};
"""
# Where a member comes and goes: of a server that is not there the browser itself complains, and
# nobody can keep it from that.
UNREACHABLE = (
    "net::ERR_CONNECTION",
    "net::ERR_EMPTY_RESPONSE",
    "net::ERR_INCOMPLETE_CHUNKED",
)


@define(eq=False)
class Screen:
    """A page of the board."""

    page: Any
    complaints: list[str] = field(factory=list)

    def text(self, selector: str) -> str:
        """Of the first such element."""
        return str(self.page.locator(selector).first.inner_text())

    def count(self, selector: str) -> int:
        """How many there are."""
        return int(self.page.locator(selector).count())

    def moves(self) -> list[dict[str, Any]]:
        """What has been written to cells since the page was opened."""
        found: list[dict[str, Any]] = self.page.evaluate("window.moves")
        return found

    def wait_for(self, selector: str, count: int = 1, seconds: float = 60.0) -> None:
        """Until there are so many."""
        wait_until(
            lambda: self.count(selector) >= count,
            lambda: f"{self.count(selector)} of {count} {selector}",
            seconds,
        )

    def violations(self) -> list[str]:
        """Of the page's policy."""
        found: list[str] = self.page.evaluate("window.violations")
        return found


@contextmanager
def looking_at(
    chromium: Any,
    url: str,
    *scripts: str,
    width: int = 1920,
    height: int = 1080,
    members_go: bool = False,
    **more: Any,
) -> Iterator[Screen]:
    """A page in a browser of its own, watched from the first moment on.

    Nothing may be said on its console, but of members that are not there if ``members_go``.
    """
    viewport = {"width": width, "height": height}
    context = chromium.new_context(viewport=viewport, locale="en-GB", **more)
    page = context.new_page()
    screen = Screen(page)

    def complain(message: Any) -> None:
        is_expected = members_go and any(each in message.text for each in UNREACHABLE)
        if message.type in ("error", "warning") and not is_expected:
            screen.complaints.append(message.text)

    page.on("console", complain)
    page.on("pageerror", lambda error: screen.complaints.append(str(error)))
    for script in (WATCH, *scripts):
        page.add_init_script(script)
    try:
        page.goto(url)
        yield screen
        assert screen.complaints == [], screen.complaints
        assert screen.violations() == [], screen.violations()
    finally:
        context.close()
