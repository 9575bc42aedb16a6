"""Do real pages get what docs/embedding.md promises them?

A Chromium opens pages of listed and of other origins, runs the very script of that document, and asks the gateway
through it. `localhost` and `127.0.0.1` are two sites to a browser, two ports of one of them two origins of one site.

    python pages.py PATH-OF-THE-PROGRAM docs/embedding.md
"""

import contextlib
import http.server
import json
import re
import sys
import threading
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "python"))

from chromium import Chromium, PageError, program
from gateway import Gateway

ASK = """
const ask = async (fetching, url, type, params) => {
  const answer = await fetching(`${url}/chatkit`, { method: "POST", body: JSON.stringify({ type, params }) });
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  const text = await answer.text();
  return text.startsWith("data: ") ? JSON.parse(text.slice(6).split("\\n")[0]) : JSON.parse(text);
};
const input = { content: [{ type: "input_text", text: "What is a robot?" }], attachments: [], inference_options: {} };
const create = async (fetching, url) => (await ask(fetching, url, "threads.create", { input })).thread.id;
const list = async (fetching, url) =>
  (await ask(fetching, url, "threads.list", { limit: 9999, order: "desc" })).data.map(thread => thread.id);
const withCookies = (url, options) => fetch(url, { ...options, credentials: "include" });
"""


class Site(http.server.BaseHTTPRequestHandler):
    """Every address is an empty page."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>A page</title>")

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def site():
    """The port of a site of ours."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def wrapper(document, gateway):
    """The script of the document that keeps a visitor's token, for this gateway."""
    blocks = re.findall(r"```js\n(.*?)```", document, re.DOTALL)
    [script] = [block for block in blocks if "async function asVisitor" in block]
    return script.replace("https://tutor.example.org", gateway)


def a_page_of_another_site_keeps_its_visitor(browser, places):
    script = ASK + wrapper(places["document"], places["gateway elsewhere"])
    in_page = lambda page, last: page.run(f"(async () => {{ {script}; {last} }})()")
    page, other_tab = browser.open(places["listed"]), browser.open(places["listed"])
    # Three first requests at once, and no thread is lost.
    three = "return Promise.all([1, 2, 3].map(() => create(asVisitor, gateway + '')))"
    threads = in_page(page, three)
    page.go(places["listed"])
    listing = "return list(asVisitor, gateway)"
    assert sorted(in_page(page, listing)) == sorted(threads)
    assert sorted(in_page(other_tab, listing)) == sorted(threads)
    # A token that is not good any more costs one request.
    refused = in_page(page, "localStorage.visitor = 'v1.visitor_1.00'; return list(asVisitor, gateway).catch(String)")
    assert "401" in refused, refused
    assert in_page(page, listing) == []


def a_listed_page_of_the_same_site_has_a_cookie(browser, places):
    url = json.dumps(places["gateway"])
    in_page = lambda page, last: page.run(f"(async () => {{ {ASK}; {last} }})()")
    page = browser.open(places["listed"])
    assert in_page(page, f"return list(withCookies, {url})") == []
    thread = in_page(page, f"return create(withCookies, {url})")
    page.go(places["listed"])
    assert in_page(page, f"return list(withCookies, {url})") == [thread]
    assert in_page(page, f"return list(fetch, {url})") == [], "without its cookie it is a stranger"
    assert "chatkit_visitor" not in page.run("document.cookie")
    return thread


def a_page_that_is_not_listed_reads_nothing_and_changes_nothing(browser, places):
    thread = a_listed_page_of_the_same_site_has_a_cookie(browser, places)
    url = json.dumps(places["gateway"])
    page = browser.open(places["unlisted"])
    for fetching in ("withCookies", "fetch"):
        try:
            page.run(f"(async () => {{ {ASK}; return list({fetching}, {url}) }})()")
        except PageError as error:
            assert "Failed to fetch" in str(error), error
        else:
            raise AssertionError("it read the list")
    # What a browser sends without asking first, with the cookie, since both are of one site.
    delete = json.dumps({"type": "threads.delete", "params": {"thread_id": thread}})
    options = {"method": "POST", "mode": "no-cors", "credentials": "include", "body": delete}
    page.run(f"fetch({url} + '/chatkit', {json.dumps(options)}).then(() => null, () => null)")
    page.run(
        f"""new Promise(sent => {{
          document.body.innerHTML = `<iframe name="away"></iframe><form target="away" method="post" enctype="text/plain"
            action="${{{url}}}/chatkit"><input type="hidden"></form>`;
          const field = document.querySelector("input");
          [field.name, field.value] = [{json.dumps(delete[:-1] + ', "x": "')}, '"}}'];
          document.querySelector("iframe").onload = () => sent(null);
          document.querySelector("form").submit();
        }})"""
    )
    page = browser.open(places["listed"])
    assert thread in page.run(f"(async () => {{ {ASK}; return list(withCookies, {url}) }})()"), "it deleted the thread"


def a_page_of_the_gateway_has_its_visitor_and_its_style_and_breaks_no_policy(browser, places):
    page = browser.open(places["gateway"] + "/book")
    in_page = lambda last: page.run(f"(async () => {{ {ASK}; {last} }})()")
    before = in_page("return list(fetch, '')")
    thread = in_page("return create(fetch, '')")
    assert in_page("return list(fetch, '')") == [thread, *before]
    assert page.run("getComputedStyle(document.body).maxWidth") not in ("none", ""), "the style sheet is refused"
    page.go(places["gateway"] + "/book/intro")
    broken = [told for told in page.complaints() if "Policy" in told]
    assert broken == [], broken
    evil = "new Promise(done => { const s = document.createElement('script'); s.textContent = 'window.evil = 1';"
    page.run(evil + "document.body.append(s); done(null) })")
    assert page.run("window.evil === undefined"), "a script that stands in the page ran"
    assert any("Policy" in told for told in page.complaints()), "the browser does not say what it refuses"


def the_page_of_the_doors_shows_them_and_breaks_no_policy(browser, places):
    page = browser.open(places["gateway"] + "/docs")
    shown = """new Promise(shown => {
      const look = () => {
        const doors = document.querySelectorAll(".opblock").length;
        if (doors) shown(doors); else setTimeout(look, 50);
      };
      look();
    })"""
    described = "fetch('openapi.json').then(answer => answer.json()).then(told => told.paths)"
    assert page.run(shown) == sum(len(doors) for doors in page.run(described).values())
    broken = [told for told in page.complaints() if "Policy" in told]
    assert broken == [], broken


SCENES = [
    a_page_of_another_site_keeps_its_visitor,
    a_page_that_is_not_listed_reads_nothing_and_changes_nothing,
    a_page_of_the_gateway_has_its_visitor_and_its_style_and_breaks_no_policy,
    the_page_of_the_doors_shows_them_and_breaks_no_policy,
]


def main(gateway_program, document):
    if not program():
        # Not every system has a package of it; what the browser decides is the only thing that is left untried.
        print("0 passed, 0 failed: THERE IS NO CHROMIUM HERE, and tests/setup could not install one; real pages were not tried")
        return 0
    failed = 0
    with site() as listed, site() as unlisted:
        origin = f"http://localhost:{listed}"
        for scene in SCENES:
            # A browser and a gateway of its own for each: what one keeps is not found by the next.
            with Gateway(gateway_program, CORS_ORIGINS=origin) as gateway, Chromium() as browser:
                places = {
                    "document": Path(document).read_text(),
                    "gateway": f"http://localhost:{gateway.port}",
                    "gateway elsewhere": f"http://127.0.0.1:{gateway.port}",
                    "listed": f"{origin}/page",
                    "unlisted": f"http://localhost:{unlisted}/page",
                }
                try:
                    scene(browser, places)
                except (AssertionError, PageError, RuntimeError) as error:
                    failed += 1
                    print(f"FAIL {scene.__name__.replace('_', ' ')}: {error!r}")
    print(f"{len(SCENES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    sys.exit(main(*sys.argv[1:]))
