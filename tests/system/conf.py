# SPDX-License-Identifier: ISC
"""Configurations for tests: a dict, written down as libconfig."""
import copy


def scalar(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    text = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def value_text(value, indent):
    if isinstance(value, dict):
        return "{\n" + group_text(value, indent + 4) + " " * indent + "}"
    if isinstance(value, (list, tuple)):
        inside = ", ".join(value_text(item, indent) for item in value)
        # libconfig: [] for values of one kind, () for groups.
        return f"({inside})" if value and isinstance(value[0], (dict, list)) else f"[{inside}]"
    return scalar(value)


def group_text(group, indent=0):
    """A dict as libconfig text. Keys stay in their order."""
    return "".join(f"{' ' * indent}{key} = {value_text(value, indent)};\n"
                   for key, value in group.items())


def merged(base, changes):
    """`base` with the keys of `changes` put over it, group by group; None takes a key away."""
    result = copy.deepcopy(base)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = copy.deepcopy(value)
    return result


def default(port, state, plugins):
    """The embedded default, on a port and with a state folder of the test's own."""
    return {
        "server": {
            "listen": "127.0.0.1",
            "port": port,
            "workers": 1,
            "state_dir": str(state),
            "plugin_dir": str(plugins),
        },
        "storage": "local",
        "providers": {
            "local": {"plugin": "sqlite.so", "path": str(state / "aicaller.db")},
        },
        "agents": {
            "default": {
                "telephony": ["browser"],
                "stt": ["sphinx"],
                "llm": ["script"],
                "tts": ["flite"],
            },
        },
    }
