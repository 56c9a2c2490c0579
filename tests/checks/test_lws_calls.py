# SPDX-License-Identifier: ISC
"""check_lws_calls finds what is planted for it."""
import pathlib
import subprocess

CHECK = pathlib.Path(__file__).resolve().parent / "check_lws_calls"
ENGINE = """int ws_engine_write(void)
{
    return lws_write(0, 0, 0, 0);
}

int ws_engine_other(void)
{
    CALL;
    return 0;
}
"""


def run(root):
    result = subprocess.run([CHECK, "--root", root], capture_output=True, text=True, check=False)
    return result.returncode, result.stdout


def plant(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_guarded_calls_pass(tmp_path):
    plant(tmp_path, "host/io/ws_engine.c", ENGINE.replace("CALL", "lws_is_first_fragment(0)"))
    assert run(tmp_path) == (0, "")


def test_unguarded_calls_are_found(tmp_path):
    for call in ("lws_write(0, 0, 0, 0)", "lws_set_timeout(0, 0, 0)", "lws_adopt_socket(0, 0)",
                 "lws_serve_http_file(0)"):
        plant(tmp_path, "host/io/ws_engine.c", ENGINE.replace("CALL", call))
        status, output = run(tmp_path)
        assert status == 1 and "host/io/ws_engine.c:8: " + call.split("(", 1)[0] in output


def test_calls_in_other_files_are_found(tmp_path):
    plant(tmp_path, "host/io/server.c", "#include <libwebsockets.h>\n")
    plant(tmp_path, "plugins/x/plugin.c", "int f(void)\n{\n    return lws_now_secs();\n}\n")
    status, output = run(tmp_path)
    assert status == 1
    assert "host/io/server.c:1:" in output and "plugins/x/plugin.c:3:" in output
