"""Lines of keys in TOML texts, compared with what `tomllib` reads from the same text."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from presets.toml_lines import key_lines, line_of

TEXT = '''\
# comment = 1
a = 1 # [b]
"quoted key" = "x = 2"
dotted.inner.x = """
b = 3
[no]
"""
list = [
  1, # ] not the end
  "]",
]
inline = { p = 1, q = [2] }
[ table ]
a = \'\'\'
'\'\'\'
b = "#"
[table.sub."a.b"]
c = 1
[[rule]]
match = 1
[rule.deep]
x = 1
[[rule]]
match = 2
'''


def test_every_key_is_at_its_line():
    lines = key_lines(TEXT)
    assert lines == {
        ("a",): 2,
        ("quoted key",): 3,
        ("dotted",): 4,
        ("dotted", "inner"): 4,
        ("dotted", "inner", "x"): 4,
        ("list",): 8,
        ("inline",): 12,
        ("table",): 13,
        ("table", "a"): 14,
        ("table", "b"): 16,
        ("table", "sub", "a.b"): 17,
        ("table", "sub", "a.b", "c"): 18,
        ("rule", 0): 19,
        ("rule", 0, "match"): 20,
        ("rule", 0, "deep"): 21,
        ("rule", 0, "deep", "x"): 22,
        ("rule", 1): 23,
        ("rule", 1, "match"): 24,
    }


def test_what_has_no_line_is_found_at_its_owner():
    lines = key_lines(TEXT)
    assert line_of(lines, ("inline", "q", 0)) == 12
    assert line_of(lines, ("rule", 1, "missing")) == 23
    assert line_of(lines, ("nowhere",)) is None


VALUES = st.sampled_from(
    ['"a # b"', "1", "[1, [2], '#']", "{ x = ']' }", '"""\nk = 1\n"""', "'''\n[t]\n'''", "[\n 1,\n]"]
)
KEYS = st.text(alphabet="abcXYZ09-_", min_size=1, max_size=5)


@given(st.lists(st.tuples(KEYS, VALUES), unique_by=lambda pair: pair[0]))
def test_keys_are_those_that_tomllib_reads(pairs):
    text = "".join(f"{key} = {value} # end\n" for key, value in pairs)
    lines = key_lines(text)
    assert {path[0] for path in lines} == set(tomllib.loads(text))
    rows = text.splitlines()
    assert all(rows[line - 1].startswith(str(path[0])) for path, line in lines.items())
