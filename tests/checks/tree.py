# SPDX-License-Identifier: ISC
"""What the checks share: the files of the tree, and how findings are told."""
import argparse
import os
import pathlib
import shutil
import sys

SKIPPED = 77
NOT_OURS = {".git", ".venv", "__pycache__", "output"}


class Check:
    """
    The life of one check: reads its options, collects findings, ends with status 0 (clean), 1
    (findings, one line each) or 77 (cannot run here, and why).
    """

    def __init__(self, purpose, **more_options):
        parser = argparse.ArgumentParser(description=purpose)
        parser.add_argument("--root", type=pathlib.Path, help="the tree to look at",
                            default=pathlib.Path(__file__).resolve().parents[2])
        parser.add_argument("--build", type=pathlib.Path, help="its build folder (build/)")
        for name, text in more_options.items():
            parser.add_argument(f"--{name}", action="store_true", help=text)
        self.options = parser.parse_args()
        self.root = self.options.root.resolve()
        self.build = (self.options.build or self.root / "build").resolve()
        self.findings = []

    def files(self, *suffixes, under=""):
        """Files below `under` that end in one of the suffixes, all if none is given, in order."""
        for folder, folders, names in os.walk(self.root / under):
            folders[:] = sorted(name for name in folders
                                if name not in NOT_OURS and not name.startswith("build"))
            for name in sorted(names):
                if not suffixes or name.endswith(suffixes):
                    yield pathlib.Path(folder, name)

    def name(self, path):
        return path.relative_to(self.root).as_posix()

    def find(self, path, line, text):
        self.findings.append(f"{self.name(path)}:{line}: {text}")

    def needs(self, program):
        if not shutil.which(program):
            self.skip(f"{program} is not installed")

    @staticmethod
    def skip(reason):
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)

    def finish(self):
        print("\n".join(self.findings), end="\n" if self.findings else "")
        sys.exit(1 if self.findings else 0)
