"""Tries a relocator on relocation vectors: the directory of `harness vectors`. Copy it and write one function.

    python3 check.py DIR TARGET MODULE

MODULE.py has `relocate(v, place)`: v is the vector with its numbers as int (P, S, A, T, and those of GOT, G, B, TLS, tp, FUNCDESC
that the formula mentions), place its bytes as they are in memory. It returns the bytes after, or the name of the error
("out-of-range", "misaligned", "state"), or None where it does not know the relocation.

Ends with 0 if all vectors that were tried came out right, 1 if one did not, 2 if nothing was tried.
SPDX-License-Identifier: MIT OR Apache-2.0
"""

import importlib
import json
import pathlib
import sys

FORMAT = 1


def vectors(directory, target):
    """The vectors of a target, their numbers as int, and `object` as a path."""
    directory = pathlib.Path(directory)
    index = json.loads((directory / "index.json").read_text())
    if index["format"] != FORMAT:
        raise SystemExit(f"{directory} has format {index['format']}, expected {FORMAT}")
    files = {listed["target"]: listed["file"] for listed in index["targets"]}
    if target not in files:
        raise SystemExit(f"{directory} has no vectors of {target}, but of {', '.join(files)}")
    file = json.loads((directory / files[target]).read_text())
    for vector in file["vectors"]:
        vector.update({name: int(vector[name], 16) for name in "PSAX"})
        vector.update({name: int(value, 16) for name, value in vector.get("terms", {}).items()})
        vector["big_endian"] = file["data"] == "big"
        vector["class"] = file["class"]
        if "object" in vector:
            vector["object"] = directory / vector["object"]
        yield vector


def is_right(vector, got):
    """Whether it is what the vector says: bytes, or the name of an error."""
    if isinstance(got, str):
        return got == vector.get("error")
    return bytes(got).hex() in [vector.get("after"), *vector.get("also", [])]


def check(directory, target, relocate):
    """Passed, failed and not tried: how many, but for those that failed, of which it has (vector, what it got)."""
    passed, failed, skipped = 0, [], 0
    for vector in vectors(directory, target):
        got = relocate(vector, bytes.fromhex(vector["before"]))
        if got is None:
            skipped += 1
        elif is_right(vector, got):
            passed += 1
        else:
            failed.append((vector, got))
    return passed, failed, skipped


def told(vector, got):
    """One failure in a line."""
    got = got if isinstance(got, str) else bytes(got).hex()
    expected = vector.get("after", vector.get("error"))
    numbers = " ".join(f"{name} {vector[name]:#x}" for name in "PSA")
    return f"FAILED {vector['id']}: {numbers}, before {vector['before']}, expected {expected}, got {got}"


def main():
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    directory, target, module = sys.argv[1:]
    sys.path.insert(0, ".")
    passed, failed, skipped = check(directory, target, importlib.import_module(module).relocate)
    for vector, got in failed[:20]:
        print(told(vector, got))
    print(f"{passed} passed, {len(failed)} failed, {skipped} not tried")
    return 1 if failed else 0 if passed else 2


if __name__ == "__main__":
    sys.exit(main())
