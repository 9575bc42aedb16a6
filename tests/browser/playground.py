"""Does the page at `/` do what it is there for, in a real browser?

    python playground.py PATH-OF-THE-PROGRAM
"""

import json
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "python"))

from chromium import Chromium, PageError, program
from gateway import Gateway

PATIENCE_SECONDS = 20
QUESTION = "What are the three terms of a PID controller?"


def until(page, what, script):
    """What a script comes to, once it comes to something."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := page.run(script)):
        assert time.monotonic() < deadline, f"not in time: {what}; the page shows {page.run('document.body.innerText')!r}"
        time.sleep(0.03)
    return found


def ask(page, question):
    until(page, "the page is ready", "!document.getElementById('send').disabled")
    page.run(f"document.getElementById('question').value = {json.dumps(question)}")
    page.run("document.getElementById('send').click()")


def answer(page):
    """The text of the answer, when it is complete."""
    until(page, "the answer is complete", "document.getElementById('status').textContent === document.body.dataset.complete")
    return page.run("[...document.querySelectorAll('.tutor')].at(-1).textContent")


def a_question_is_answered_as_it_is_written_with_its_sources_and_found_again(browser, gateway):
    page = browser.open(gateway("/"))
    until(page, "the page is ready", "!document.getElementById('send').disabled")
    page.run("""(() => {
      window.lengths = new Set();
      new MutationObserver(() => window.lengths.add(document.querySelector(".tutor")?.textContent.length ?? 0))
        .observe(document.getElementById("conversation"), { childList: true, subtree: true });
    })()""")
    ask(page, QUESTION)
    told = answer(page)
    assert "proportional" in told, told
    assert page.run("window.lengths.size") > 3, "the answer came as a whole"
    mark = page.run("document.querySelector('.tutor sup a').href")
    assert mark == page.run("document.querySelector('.tutor .sources a').href") and "#pid" in mark, mark
    assert page.run("document.querySelector('.reader .text').textContent") == QUESTION
    until(page, "what was found is told", "document.querySelector('.workflow summary').textContent.startsWith('Found')")
    thread = page.run("location.hash")
    assert thread.startswith("#thr_"), thread
    # The same reader again: by the address, and by the list.
    page.go(gateway("/book"))
    page.go(gateway("/" + thread))
    until(page, "the thread is back", f"document.querySelector('.tutor')?.textContent === {json.dumps(told)}")
    page.go(gateway("/"))
    until(page, "the list has it", "document.querySelectorAll('#threads li').length === 1")
    page.run("document.querySelector('#threads li button').click()")
    until(page, "the thread is back", f"document.querySelector('.tutor')?.textContent === {json.dumps(told)}")
    # A second question goes into the same thread, and what is deleted is gone.
    ask(page, "And how do I tune it?")
    answer(page)
    until(page, "both questions are there", "document.querySelectorAll('.reader').length === 2")
    until(page, "the list has one thread", "document.querySelectorAll('#threads li').length === 1")
    page.run("window.confirm = () => true; document.querySelectorAll('#threads li button')[1].click()")
    until(page, "the thread is gone", "document.querySelectorAll('#threads li').length === 0")
    until(page, "so is what was said", "document.querySelectorAll('#conversation li').length === 0")
    broken = [told for told in page.complaints() if "Policy" in told]
    assert broken == [], broken


def an_answer_is_stopped_and_what_was_shown_stays(browser, gateway):
    page = browser.open(gateway("/"))
    ask(page, QUESTION)
    until(page, "the first words", "document.querySelector('.tutor')?.textContent.length > 5")
    page.run("document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }))")
    until(page, "it has stopped", "document.getElementById('status').textContent === document.body.dataset.stopped")
    shown = page.run("document.querySelector('.tutor').textContent")
    assert "derivative" not in shown, shown
    thread = page.run("location.hash")
    page.go(gateway("/book"))
    page.go(gateway("/" + thread))
    kept = until(page, "what was shown is kept", "document.querySelector('.tutor')?.textContent")
    assert shown[:5] == kept[:5], (shown, kept)


def text_runs_its_own_way_and_the_page_speaks_the_language_of_the_browser(browser, gateway):
    page = browser.open("about:blank")
    headers = {"Accept-Language": "ur,en;q=0.5"}
    browser.ask("Network.enable", page.session)
    browser.ask("Network.setExtraHTTPHeaders", page.session, headers=headers)
    page.go(gateway("/"))
    assert page.run("[document.documentElement.lang, document.documentElement.dir]") == ["ur", "rtl"]
    direction = "getComputedStyle([...document.querySelectorAll('{}')].at(-1)).direction"
    ask(page, "روبوٹ کیا ہے؟")
    answer(page)
    assert page.run(direction.format(".reader .text")) == "rtl"
    ask(page, QUESTION)
    assert "proportional" in answer(page)
    assert page.run(direction.format(".reader .text")) == "ltr", "English runs from the left on an Urdu page, too"
    assert page.run(direction.format(".tutor p")) == "ltr", "and so does an answer from an English book"


def what_was_written_never_becomes_markup(browser, gateway):
    page = browser.open(gateway("/"))
    evil = '<img src=x onerror="window.evil=1"> [x](javascript:window.evil=1) **<b>bold</b>**'
    shown = page.run(f"""import("./playground/markdown.js").then(({{ markdown }}) => {{
      const shown = document.createElement("div");
      shown.append(markdown({json.dumps(evil)}, [{{ at: 3, number: 1, title: "<i>", url: "javascript:alert(1)" }}]));
      document.body.append(shown);
      return [shown.textContent, shown.querySelectorAll("img, a, b, i").length];
    }})""")
    assert shown == ['<im1g src=x onerror="window.evil=1"> x <b>bold</b>', 0], shown
    nested = page.run("""import("./playground/markdown.js").then(({ markdown }) => {
      const began = performance.now();
      for (const text of [">".repeat(50000), "`".repeat(1), "*a ".repeat(30000), "[".repeat(30000), "- ".repeat(20000),
        "`a``a".repeat(3000), "**a".repeat(6000), "_a ".repeat(6000), "[a](".repeat(4000), "https://".repeat(2000)])
        document.createElement("div").append(markdown(text));
      return performance.now() - began;
    })""")
    assert nested < 5000, f"{nested} ms"


def an_error_is_said_and_its_button_sends_the_question_again(browser, gateway):
    page = browser.open(gateway("/"))
    until(page, "the page is ready", "!document.getElementById('send').disabled")
    page.run("""(() => {
      const real = window.fetch;
      window.fetch = (...all) => { window.fetch = real; return Promise.reject(new TypeError("away")); };
    })()""")
    ask(page, QUESTION)
    until(page, "the error", "!!document.querySelector('.error button')")
    until(page, "the question is back", f"document.getElementById('question').value === {json.dumps(QUESTION)}")
    page.run("document.querySelector('.error button').click()")
    assert "proportional" in answer(page)
    assert page.run("document.querySelectorAll('.error').length") == 0


SCENES = [
    a_question_is_answered_as_it_is_written_with_its_sources_and_found_again,
    an_answer_is_stopped_and_what_was_shown_stays,
    text_runs_its_own_way_and_the_page_speaks_the_language_of_the_browser,
    what_was_written_never_becomes_markup,
    an_error_is_said_and_its_button_sends_the_question_again,
]


def main(gateway_program):
    if not program():
        print("0 passed, 0 failed: THERE IS NO CHROMIUM HERE, and tests/setup could not install one; the page was not tried")
        return 0
    failed = 0
    for scene in SCENES:
        # Slowly enough that there is something to stop.
        with Gateway(gateway_program, OFFLINE_PACE_MS="60") as running, Chromium() as browser:
            try:
                scene(browser, lambda path: f"http://localhost:{running.port}{path}")
            except (AssertionError, PageError, RuntimeError) as error:
                failed += 1
                print(f"FAIL {scene.__name__.replace('_', ' ')}: {error!r}")
    print(f"{len(SCENES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    sys.exit(main(sys.argv[1]))
