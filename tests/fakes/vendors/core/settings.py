# SPDX-License-Identifier: ISC
"""What a test may set for each vendor. Unknown names and wrong types are refused, with the list."""
import copy


class Refused(Exception):
    """A test asked the simulator for something that does not exist; the text says what does."""


class Settings:
    """Values by vendor; declared once with their defaults, changed and reset by the tests."""

    def __init__(self):
        self.defaults = {}
        self.choices = {}
        self.values = {}

    def declare(self, vendor, defaults, choices):
        """`choices` are the only values of some settings."""
        self.defaults[vendor] = defaults
        self.choices[vendor] = choices
        self.values[vendor] = copy.deepcopy(defaults)

    def of(self, vendor):
        return self.values[vendor]

    def reset(self):
        self.values = copy.deepcopy(self.defaults)

    def change(self, vendor, changes):
        defaults = self.defaults.get(vendor)
        if defaults is None:
            raise Refused(f"no vendor {vendor}; there are: {', '.join(self.defaults)}")
        for name, value in changes.items():
            if name not in defaults:
                raise Refused(f"{vendor} has no setting {name}; it has: {', '.join(defaults)}")
            choice = self.choices[vendor].get(name)
            if choice and value not in choice:
                raise Refused(f"{vendor}.{name} is one of {', '.join(choice)}, not {value!r}")
            if not _fits(value, defaults[name]):
                raise Refused(f"{vendor}.{name} is like {defaults[name]!r}, not {value!r}")
        self.values[vendor].update(copy.deepcopy(changes))


def _fits(value, default):
    if default is None or value is None:
        return True
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(default, bool)
    if isinstance(default, (int, float)):
        return isinstance(value, (int, float))
    return isinstance(value, type(default))
