"""The page is one file, runs its own script alone, and shows what the server answers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from meprop_nlp.serve.page import page

from .conftest import Client
from .test_server import Server

BROWSER = "/usr/bin/chromium"
QUIET = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def test_page_needs_no_other_file() -> None:
    html = page("1.2<3").html
    assert "meprop-nlp 1.2&lt;3" in html
    assert "{{" not in html
    assert not re.search(r"<link[^>]*stylesheet|<script[^>]*src|@import|https?://(?!www\.w3)", html)


def test_policy_lets_only_the_pages_own_script_run() -> None:
    made = page("1")
    assert made.policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in made.policy
    assert made.html.count("<script>") == made.html.count("<style>") == 1
    assert not re.search(r"\son\w+=|\sstyle=|javascript:", made.html)


@pytest.mark.extras
def test_page_is_served_with_its_policy(client: Client) -> None:
    reply = client.get("/")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert reply.headers["content-security-policy"] == page("1.2.3").policy
    assert reply.text == page("1.2.3").html


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server."""
    made = Server(tmp_path_factory.mktemp("server") / "log", "--quiet")
    yield made
    made.end()


def seen(server: Server, address: str, profile: Path) -> str:
    """What the page holds after its script has run, in a real browser."""
    done = subprocess.run(
        [
            *(BROWSER, *QUIET, f"--user-data-dir={profile}", "--virtual-time-budget=8000"),
            *("--dump-dom", server.url + address),
        ],
        capture_output=True,
        text=True,
        timeout=100,
        env={key: value for key, value in os.environ.items() if key != "DISPLAY"},
    )
    return done.stdout


needs_browser = pytest.mark.skipif(not Path(BROWSER).exists(), reason="Chromium is not installed")


@pytest.mark.extras
@needs_browser
@pytest.mark.parametrize(
    ("text", "n_sentences", "direction", "tokens"),
    [
        ('The dog barks. It is Peter\'s cat & "<b>more</b>".', 2, "", ["Peter's"]),
        ("ذهب الولد إلى المدرسة", 1, ' direction="rtl"', []),
        ("我昨天看了一本书", 1, "", []),
    ],
    ids=["english", "arabic", "chinese"],
)
def test_shared_text_is_drawn(
    text: str,
    n_sentences: int,
    direction: str,
    tokens: list[str],
    server: Server,
    tmp_path: Path,
) -> None:
    shown = seen(server, f"/#text={quote(text)}", tmp_path)
    found = re.search(r'<section id="sentences"[^>]*>(.*)</section>', shown, flags=re.S)
    assert found
    assert found[1].count("<article>") == n_sentences
    assert len(re.findall(rf"<svg [^>]*{direction} ?[^>]*>", found[1])) == n_sentences
    below_words = re.findall(r'<text [^>]*font-size="13"[^>]*>([^<]*)', found[1])
    assert below_words == tokens
    assert "<b>" not in found[1]
    assert re.search(rf'role="status">{n_sentences} sentences? · ', shown)


@pytest.mark.extras
@needs_browser
def test_refusal_is_shown(server: Server, tmp_path: Path) -> None:
    shown = seen(server, "/#text=a%00b", tmp_path)
    assert re.search(r'<p id="error" role="alert">[^<]*NUL', shown)
    assert "<article>" not in shown


@pytest.mark.extras
@needs_browser
def test_half_of_a_surrogate_pair_is_refused_and_the_page_goes_on(
    server: Server, tmp_path: Path
) -> None:
    pytest.importorskip("selenium", reason="needs meprop-nlp[browser]")
    from selenium import webdriver
    from selenium.webdriver.support.wait import WebDriverWait

    driver_path = shutil.which("chromedriver")
    if driver_path is None:
        pytest.skip("needs Chromium's driver: apt-get install chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for switch in (*QUIET, f"--user-data-dir={tmp_path}"):
        options.add_argument(switch)
    driver = webdriver.Chrome(options, webdriver.ChromeService(driver_path))
    submit = "text.value = {}; document.getElementById('form').requestSubmit();"
    try:
        driver.get(server.url)
        driver.execute_script(submit.format(r"'a\ud800'"))
        wait = WebDriverWait(driver, 20)
        wait.until(lambda page: page.execute_script("return !error.hidden && !button.disabled"))
        assert "expected text" in driver.execute_script("return error.textContent")
        driver.execute_script(submit.format("'It rains.'"))
        wait.until(lambda page: page.execute_script("return document.querySelector('article')"))
        assert driver.execute_script("return error.hidden && !button.disabled")
    finally:
        driver.quit()
