# SPDX-License-Identifier: ISC
"""Builds and runs the tests; tests/run is the way in. Steps are timed, skipped tests named."""
import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import report

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "tests/output"
PYTHON = "/usr/bin/python3"
JOBS = max(2, os.cpu_count() or 2)
PYTHON_RESULTS = [OUTPUT / "pytest.xml", OUTPUT / "alone.xml"]
AGAIN, AGAIN_MOST = OUTPUT / "again.xml", 3


class Failed(Exception):
    """A step failed; the text says what is missing where the output above does not."""


def run(command, **options):
    return subprocess.run([str(word) for word in command], cwd=ROOT, **options).returncode


def need(command, **options):
    if run(command, **options) != 0:
        raise Failed()


class Steps:
    """Runs steps one after the other and remembers how they ended."""

    def __init__(self):
        self.begun = time.monotonic()
        self.lines = []
        self.failed = False

    def do(self, title, action, *arguments):
        print(f"\n== {title}", flush=True)
        begun = time.monotonic()
        result = "ok"
        try:
            action(*arguments)
        except Failed as reason:
            result = "FAILED"
            self.failed = True
            if str(reason):
                print(reason)
        self.lines.append(f"{result:6} {time.monotonic() - begun:6.1f} s  {title}")
        return result == "ok"

    def finish(self, results):
        print("\n== summary")
        print("\n".join(self.lines))
        if results and not report.tell(results, AGAIN if AGAIN.exists() else None):
            self.failed = True
        print(f"{time.monotonic() - self.begun:.1f} s in all")
        print(f"FAILED; logs are in {OUTPUT.relative_to(ROOT)}/" if self.failed else "all passed")
        return 1 if self.failed else 0


def configure(mode):
    """Prepares the build folder of a mode and returns it. The normal one is the user's build/."""
    if mode in ("normal", "valgrind"):
        folder = ROOT / "build"
        command = ["cmake", "-S", ".", "-B", folder, "-G", "Ninja", "-DAICALLER_TESTS=ON",
                   "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"]
    else:
        folder = ROOT / f"build-{mode}"
        command = ["cmake", "--preset", mode]
    log = OUTPUT / "configure.log"
    with open(log, "w", encoding="utf-8") as output:
        status = run(command, stdout=output, stderr=subprocess.STDOUT)
    lines = log.read_text(encoding="utf-8").splitlines()
    if status != 0:
        print("\n".join(lines[-30:]))
        raise Failed(f"the build cannot be prepared: see {log.relative_to(ROOT)}")
    print("\n".join(line.removeprefix("-- ") for line in lines if "is skipped" in line))
    return folder


def build(mode, targets=()):
    command = ["cmake", "--build", configure(mode)]
    need(command + (["--target", *targets] if targets else []))


def build_fuzzers(targets):
    if not targets:
        raise Failed("no such fuzzer")
    build("fuzz", targets)


def install_vendor_libraries():
    """
    The vendors' own libraries judge our simulators of them. They live apart in .venv, so that all
    other tests see Debian's versions only, whether a package index can be reached or not.
    """
    wanted, installed = ROOT / "tests/requirements.txt", ROOT / ".venv/installed"
    if installed.exists() and installed.read_bytes() == wanted.read_bytes():
        return
    need([PYTHON, "-m", "venv", "--system-site-packages", ".venv"])
    print("Installing with pip into .venv/: " + ", ".join(
        line for line in wanted.read_text().split("\n") if line and line[0] != "#"), flush=True)
    with open(OUTPUT / "pip.log", "w", encoding="utf-8") as log:
        status = run([".venv/bin/python", "-m", "pip", "install", "--timeout", "15", "--retries",
                      "1", "--disable-pip-version-check", "-r", wanted], stdout=log, stderr=log)
    if status == 0:
        shutil.copy(wanted, installed)
    else:
        print("They cannot be had here (tests/output/pip.log): the tests with them are skipped.")


def sanitizer_settings(mode):
    os.environ.setdefault("ASAN_OPTIONS", "strict_string_checks=1:detect_stack_use_after_return=1")
    os.environ.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    os.environ.setdefault("TSAN_OPTIONS", "second_deadlock_stack=1")
    # gcc 12's thread sanitizer gives up where the kernel randomises addresses strongly.
    wrapper = ["setarch", "-R"]
    return wrapper if mode == "tsan" and run([*wrapper, "true"]) == 0 else []


def compiled_tests(options, folder, wrapper):
    command = ["ctest", "--test-dir", folder, "-j", JOBS, "--output-on-failure",
               "--output-junit", OUTPUT / "ctest.xml",
               "--test-output-size-passed", 1000000, "--test-output-size-failed", 1000000,
               f"--no-tests={'ignore' if options.names else 'error'}"]
    if options.names:
        command += ["-R", "|".join(pathlib.PurePath(name).stem for name in options.names)]
    if options.suite != "long":
        command += ["-LE", "^long$"]
    need(wrapper + command)


def python_tests(options, folder, wrapper):
    marks = {"quick": "not (long or slow or lint)", "long": "not lint",
             "full": "not (long or lint)"}[options.suite]
    files = [name for name in options.names if ".py" in name]
    parts = [name for name in options.names if name not in files]
    folders = ["tests/system"] if options.mode != "normal" else ["tests/checks", "tests/system"]
    chosen = ["-k", " or ".join(parts)] if parts else []
    environment = dict(os.environ, AICALLER_BUILD=str(folder))
    nothing_collected = 5
    # Most tests wait for telephone calls, which last as long as they last: several at a time.
    together = ["-n", 2 * JOBS, "--dist", "loadfile"]
    statuses = []
    for file, which, how in zip(PYTHON_RESULTS, ("not alone", "alone"), (together, [])):
        statuses.append(run(
            [*wrapper, PYTHON, "-m", "pytest", "-c", "tests/pytest.ini", *how, *chosen,
             "-m", f"({marks}) and {which}", "--durations", 5, "--junit-xml", file,
             *(files or folders)], env=environment))
    good = (0, nothing_collected) if options.names or options.suite == "quick" else (0,)
    if all(status in good for status in statuses):
        return
    if not (options.again and passes_again([*wrapper, PYTHON, "-m", "pytest"], environment)):
        raise Failed()


def passes_again(pytest, environment):
    """Runs the few tests that failed once more, by themselves; a busy machine is no defect."""
    lists = [report.repeatable(path) for path in PYTHON_RESULTS if path.exists()]
    names = [] if None in lists else sum(lists, [])
    if not 0 < len(names) <= AGAIN_MOST:
        return False
    print("\n== once more: " + " ".join(names), flush=True)
    return run([*pytest, "-c", "tests/pytest.ini", "--junit-xml", AGAIN, *names],
               env=environment) == 0


def lint():
    need([PYTHON, "-m", "pytest", "-c", "tests/pytest.ini", "-m", "lint", "--junit-xml",
          OUTPUT / "pytest.xml", "tests/checks"])


def under_valgrind(options, folder):
    listing = subprocess.run(
        ["ctest", "--test-dir", folder, "--show-only=json-v1", "-L", "^(unit|call)$"],
        check=True, capture_output=True).stdout
    programs = [test["command"][0] for test in json.loads(listing)["tests"]]
    programs = [name for name in programs
                if not options.names or any(part in name for part in options.names)]

    def check(program):
        log = OUTPUT / f"valgrind-{pathlib.Path(program).name}.log"
        with open(log, "w", encoding="utf-8") as output:
            status = run(["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full",
                          "--errors-for-leak-kinds=definite,indirect,possible", program],
                         stdout=output, stderr=output)
        return status, f"{log.relative_to(ROOT)}"

    all_of(check, programs, "test program")


def fuzzers(options):
    names = [path.stem for path in sorted((ROOT / "tests/fuzz").glob("fuzz_*.c"))]
    return [name for name in names
            if not options.names or any(part in name for part in options.names)]


def fuzz(options, names):
    logs = OUTPUT / "fuzz"
    logs.mkdir(exist_ok=True)

    def check(name):
        seeds = ROOT / "tests/fuzz/corpus" / name.removeprefix("fuzz_")
        if not seeds.is_dir():
            return 1, f"{seeds.relative_to(ROOT)} is missing: give it a few good inputs"
        found = ROOT / "build-fuzz/corpus" / name
        found.mkdir(parents=True, exist_ok=True)
        log = logs / f"{name}.log"
        with open(log, "w", encoding="utf-8") as output:
            status = run([ROOT / "build-fuzz/fuzz" / name, f"-max_total_time={options.fuzz}",
                          "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1",
                          f"-artifact_prefix={logs / name}-", found, seeds],
                         stdout=output, stderr=output)
        executed = [line.split()[-1] for line in log.read_text(errors="replace").splitlines()
                    if line.startswith("stat::number_of_executed_units")]
        return status, f"{executed[0] if executed else 0} inputs, {log.relative_to(ROOT)}"

    all_of(check, names, "fuzzer")


def all_of(check, names, kind):
    """Calls check(name) -> (status, remark) for every name, JOBS at a time."""
    if not names:
        raise Failed(f"no such {kind}")
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for name, (status, remark) in zip(names, pool.map(check, names)):
            bad += status != 0
            print(f"{'FAILED' if status else 'ok':6} {pathlib.Path(name).name}: {remark}")
    if bad:
        raise Failed(f"{bad} of {len(names)} failed")


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="tests/run", description="Installs what is needed, builds, runs every test. Exit "
        "status 0 only if all passed; skipped tests are named and counted.")
    suite = parser.add_mutually_exclusive_group()
    for name, text in (("quick", "the part that takes under a minute once built"),
                       ("long", "the long tests, too")):
        suite.add_argument(f"--{name}", dest="suite", action="store_const", const=name,
                           default="full", help=text)
    mode = parser.add_mutually_exclusive_group()
    for name, text in (("asan", "address and undefined behaviour sanitizers, in build-asan/"),
                       ("tsan", "thread sanitizer, in build-tsan/"),
                       ("clang", "clang, in build-clang/; unit, plugin and call tests"),
                       ("valgrind", "unit and call tests under valgrind"),
                       ("lint", "format, clang-tidy, cppcheck, shellcheck; nothing else")):
        mode.add_argument(f"--{name}", dest="mode", action="store_const", const=name, help=text)
    mode.add_argument("--fuzz", type=int, metavar="SECONDS", help="each fuzzer that long")
    parser.add_argument("--again", action="store_true", help=f"up to {AGAIN_MOST} system tests "
                        "that failed run once more, by themselves; those that pass are named as "
                        "unsteady")
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help="a part of a test's name, or a file under tests/")
    options = parser.parse_args(arguments)
    if options.fuzz is not None:
        if options.fuzz < 1:
            parser.error("--fuzz needs a number of seconds, at least 1")
        options.mode = "fuzz"
    options.mode = options.mode or "normal"
    return options


def main():
    options = parse(sys.argv[1:])
    OUTPUT.mkdir(exist_ok=True)
    results = [OUTPUT / "ctest.xml", *PYTHON_RESULTS]
    for stale in [*results, AGAIN]:
        stale.unlink(missing_ok=True)
    steps = Steps()
    if options.mode == "lint":
        steps.do("format, clang-tidy, cppcheck, shellcheck", lint)
        return steps.finish(results)
    wrapper = sanitizer_settings(options.mode)
    folder = ROOT / ("build" if options.mode in ("normal", "valgrind") else f"build-{options.mode}")

    if options.mode == "fuzz":
        targets = fuzzers(options)
        if steps.do("build", build_fuzzers, targets):
            steps.do(f"fuzzing, {options.fuzz} s each", fuzz, options, targets)
        return steps.finish([])
    if not steps.do("build", build, options.mode):
        return steps.finish([])
    if options.mode == "valgrind":
        steps.do("unit and call tests under valgrind", under_valgrind, options, folder)
        return steps.finish([])

    steps.do("unit, plugin and call tests", compiled_tests, options, folder, wrapper)
    if options.mode != "clang":
        if options.mode == "normal" and options.suite != "quick":
            steps.do("vendors' libraries", install_vendor_libraries)
        steps.do("checks and system tests", python_tests, options, folder, wrapper)
    return steps.finish(results)


if __name__ == "__main__":
    sys.exit(main())
