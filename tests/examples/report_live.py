"""Opens the report of a run that goes on in Chromium, by its DevTools protocol over pipes.

    report_live.py BROWSER PAGE COMMAND…

The page must load itself again with scroll position, epoch, groups, sliders and focus as they were. Then
COMMAND completes the run: the page must show that, and stay as it is.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

PATIENCE = 60


class Browser:
    """A page in a browser of its own, and what it wrote to the console."""

    def __init__(self, program, profile):
        to_read, self.to = os.pipe()
        self.answers, to_write = os.pipe()

        def place():  # on the descriptors that the browser takes
            read, write = os.dup(to_read), os.dup(to_write)
            os.dup2(read, 3)
            os.dup2(write, 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             f"--user-data-dir={profile}", "--window-size=1280,900", "--remote-debugging-pipe"],
            preexec_fn=place, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.number, self.unread, self.session, self.console = 0, b"", None, []

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.next_message()
            if answer.get("id") == self.number:
                return answer.get("result", answer)
            if answer.get("method") in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
                self.console.append(answer)

    def next_message(self):
        while b"\0" not in self.unread:
            more = os.read(self.answers, 1 << 16)
            assert more, "the browser is gone"
            self.unread += more
        message, _, self.unread = self.unread.partition(b"\0")
        return json.loads(message)

    def open(self, page):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Runtime", "Log", "Page"):
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=page)

    def value(self, expression):
        """Of JavaScript; None while a page is loaded."""
        return self.call("Runtime.evaluate", expression=expression).get("result", {}).get("value")

    def wait_for(self, expression):
        end = time.monotonic() + PATIENCE
        while self.value(expression) is not True:
            assert time.monotonic() < end, f"did not become true: {expression}"
            time.sleep(0.1)


def place_of_reader(browser):
    return json.loads(browser.value(
        "JSON.stringify([scrollY, document.querySelector('output').textContent.split(' ')[0], "
        "document.activeElement.id, ...[...document.querySelectorAll('details.try')].map(d => d.open), "
        "...['act2/group', 'act2/c1'].map(id => document.getElementById(id).value)])"))


def check(browser, page, command):
    browser.open(page)
    browser.wait_for("document.querySelector('.progress') !== null && document.readyState === 'complete'")
    text = browser.value("document.title + document.querySelector('header + div caption').textContent")
    assert text.count("epoch") == 2 and " of 100000" in text, text
    browser.value(
        "document.querySelectorAll('details.try')[1].open = true; epoch.value = 0;"
        "epoch.dispatchEvent(new Event('input'));")
    browser.wait_for("document.getElementById('act2/c1') !== null")
    browser.value(
        "{const g = document.getElementById('act2/group'); g.value = 1; g.dispatchEvent(new Event('change'));"
        " const s = document.getElementById('act2/c1'); s.value = 0.75; s.dispatchEvent(new Event('input'));"
        " s.focus(); scrollTo(0, 700); window.before = 1;}")
    here = place_of_reader(browser)
    assert here[0] > 300 and here[1:] == ["0,", "act2/c1", False, True, False, False, "1", "0.75"], here
    browser.wait_for("window.before === undefined && document.readyState === 'complete'")
    assert place_of_reader(browser) == here, (place_of_reader(browser), here)

    subprocess.run(command, check=True)
    browser.wait_for("document.querySelector('.progress') === null && document.readyState === 'complete'")
    assert place_of_reader(browser) == here, (place_of_reader(browser), here)
    browser.value("window.complete = 1")
    time.sleep(5)
    assert browser.value("window.complete") == 1, "the page of a complete run loads itself again"
    assert browser.value("document.querySelector('caption').textContent") == "Final figures"
    assert not browser.console, browser.console


def main(program, page, *command):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(program, profile)
        try:
            check(browser, pathlib.Path(page).resolve().as_uri(), command)
        finally:
            browser.process.kill()
            browser.process.wait()
    print("a page renews itself until its run is complete")


main(*sys.argv[1:])
