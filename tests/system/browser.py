# SPDX-License-Identifier: ISC
"""A headless Chromium with a microphone that plays a WAV file."""
import os
import shutil

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"


def missing():
    """What is not installed, or None."""
    return next((name for name in (CHROMIUM, DRIVER) if not shutil.which(name)), None)


def start(profile, microphone=None, log=None):
    """
    The microphone plays its file once and then repeats the last 10 ms for ever: let the file end
    with half a second of silence. Without a file it beeps.
    """
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("headless=new", "disable-dev-shm-usage", "disable-gpu", "no-first-run",
                 "disable-background-networking", "disable-component-update",
                 "autoplay-policy=no-user-gesture-required", "use-fake-ui-for-media-stream",
                 "use-fake-device-for-media-stream", f"user-data-dir={profile}"):
        options.add_argument(f"--{flag}")
    if microphone:
        options.add_argument(f"--use-file-for-fake-audio-capture={microphone}%noloop")
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=Service(DRIVER, log_path=str(log or os.devnull)),
                              options=options)
    driver.set_page_load_timeout(30)
    return driver
