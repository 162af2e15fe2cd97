"""The stepper in the real JupyterLab: three stages clicked through, 401 and then 101 on the page, by mouse and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from .clicks import click_through_the_stages

if TYPE_CHECKING:
    from pathlib import Path

CELLS = [
    "import guestlab as gl\nlab = gl.Lab()\nlab",
    "lab.token()",
    "open('planted.txt', 'w').write(lab.sandbox.client_secret + ' ' + lab.tokens.client_flow.token.value);",
]

# Text colours against the ground they stand on, for every element of the view that has words of its own.
CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (c) => c.slice(0, 3).map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] > 250) return colour;
    }
    return [255, 255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll('.gl-root *')) {
    const own = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join('');
    if (!own || element.closest('style, button') || !element.checkVisibility()) continue;
    const over = light(rgba(getComputedStyle(element).color)), under = light(ground(element));
    const ratio = (Math.max(over, under) + 0.05) / (Math.min(over, under) + 0.05);
    found.push([ratio, own.slice(0, 40), element.className]);
  }
  return found.sort((a, b) => a[0] - b[0]);
}"""


def test_three_stages_in_jupyterlab(jupyterlab: Any, browser: Any, folder: Path) -> None:
    """Clicked through in both themes: readable, no script error, nothing secret in page or saved file."""
    page = jupyterlab.open(browser, "stepper", CELLS)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    root = page.locator(".gl-root").first
    expect(root).to_contain_text("Lab at the embedded sandbox")
    click_through_the_stages(root)
    page.set_viewport_size({"width": 1280, "height": 3200})
    jupyterlab.picture(root, "stepper_clicked_through")
    for dark in (False, True):
        jupyterlab.theme(page, dark=dark)
        ratios = page.evaluate(CONTRAST)
        assert len(ratios) > 60
        assert ratios[0][0] >= 4.5, ratios[:5]
    expect(page.locator(".gl-root").nth(1)).to_contain_text("expires in 23 h")
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.context.sessionContext.kernelDisplayStatus === 'idle'"
    )
    jupyterlab.command(page, "docmanager:save")
    planted = (folder / "planted.txt").read_text().split()
    assert len(planted) == 2
    saved = (folder / "stepper.ipynb").read_text(encoding="utf-8")
    assert "Lab at the embedded sandbox" in saved
    assert "widget-view+json" in saved
    assert "widget-state" not in saved
    everything = saved + page.content() + page.get_by_label("Code to copy").input_value()
    assert not [secret for secret in planted if secret in everything]
    assert errors == []
    page.close()


def test_the_stepper_by_keyboard(jupyterlab: Any, browser: Any) -> None:
    """Tab reaches the buttons and inputs in the order of the page; Enter presses them; labels name the inputs."""
    page = jupyterlab.open(browser, "keys", CELLS[:1])
    page.get_by_role("button", name="Run all", exact=True).focus()
    names = []
    for _ in range(8):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate(
                "() => document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent"
            )
        )
    reached = [name.strip() for name in names]
    wanted = ["Reset", "Grant", "Scope", "Body", "Get token", "Renew", "The customer says"]
    assert [name for name in reached if name in wanted] == wanted, reached
    page.get_by_role("button", name="Run all", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".gl-stage-handshake")).to_contain_text("HTTP/1.1 101 Switching Protocols")
    page.close()
